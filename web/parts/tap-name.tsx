/** A tap's name, which breaks into lines after its dots. */
export function TapName({ name }: { readonly name: string }) {
  return (
    <>
      {name.split(/(?<=\.)/).map((part) => (
        <>
          {part}
          <wbr />
        </>
      ))}
    </>
  );
}
