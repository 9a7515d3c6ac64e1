import assert from "node:assert/strict";
import fc from "fast-check";
import { csvRows } from "../../lib/train/csv.ts";

const read = async (pieces: readonly string[], separator = ","): Promise<string[][]> => {
  const rows: string[][] = [];
  for await (const row of csvRows(pieces, separator)) rows.push(row);
  return rows;
};

describe("csvRows", () => {
  it("reads quoted fields with separators, quotes and line breaks, and skips blank lines", async () => {
    const text = 'path,title\r\n\n"a, b.png","say ""hi""\nthere"\nc.png,5" nail\n"",x';
    assert.deepEqual(await read([text]), [
      ["path", "title"],
      ["a, b.png", 'say "hi"\nthere'],
      ["c.png", '5" nail'],
      ["", "x"],
    ]);
    assert.deepEqual(await read(["a\tb\n1,2\t3"], "\t"), [
      ["a", "b"],
      ["1,2", "3"],
    ]);
  });

  it("gives back what was quoted, wherever the text is cut into pieces", async () => {
    const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "ü", " "), maxLength: 6 });
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(table, fc.nat(5), async (rows, size) => {
        const quoted = rows
          .map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(","))
          .join("\n");
        const pieces = quoted.match(new RegExp(`.{1,${size + 1}}`, "gs"))!;
        assert.deepEqual(await read(pieces), rows);
      }),
    );
  });
});
