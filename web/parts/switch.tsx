/** A setting that is on or off. */

interface Props {
  readonly label: string;
  readonly isOn: boolean;
  readonly title?: string;
  readonly isFixed?: boolean;
  readonly onChange: (isOn: boolean) => void;
}

export function Switch({ label, isOn, title, isFixed = false, onChange }: Props) {
  return (
    <label class="switch" title={title}>
      <input
        type="checkbox"
        role="switch"
        checked={isOn}
        disabled={isFixed}
        onChange={(event) => {
          onChange(event.currentTarget.checked);
        }}
      />
      <span class="track" aria-hidden="true" />
      {label}
    </label>
  );
}
