/** Small drawings of buttons, 20 × 20. */

const paths = {
  search: "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Zm4 9.5 3.5 3.5",
  sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1",
  moon: "M16 11.8A6.5 6.5 0 0 1 8.2 4a6.5 6.5 0 1 0 7.8 7.8Z",
  system: "M3 4.5h14v9H3zM7.5 16.5h5M10 13.5v3",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.9-1.1 1.8M10 14.2v.1",
  close: "M5 5l10 10M15 5 5 15",
  plus: "M10 4v12M4 10h12",
  chevron: "M7 5l5 5-5 5",
  link: "M8.5 11.5l3-3M7 9 5.3 10.7a2.8 2.8 0 0 0 4 4L11 13M9 7l1.7-1.7a2.8 2.8 0 0 1 4 4L13 11",
  copy: "M7 7h9v9H7zM4 13V4h9",
  save: "M10 3.5v9M6.5 9l3.5 3.5L13.5 9M4 16h12",
  table: "M3.5 4.5h13v11h-13zM3.5 8.2h13M3.5 11.9h13M8 4.5v11",
  image: "M3.5 4.5h13v11h-13zM3.5 13l4-4 3.5 3.5L13.5 10l3 3M12.5 7.4v.1",
  terminal: "M3.5 4.5h13v11h-13zM6.5 8l2 2-2 2M10.5 12.5h3",
  exchange: "M4 7.5h11M12 4.5l3 3-3 3M16 12.5H5M8 9.5l-3 3 3 3",
  inputs: "M3.5 4.5h13v8h-13zM3.5 15.5h8",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
