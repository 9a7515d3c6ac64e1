/**
 * Python's `str.format` for templates of prompts, `template.format(c=name)`.
 *
 * `{c}` is the class name, `{{` and `}}` are braces. `{}` is the class name too, as in the templates of open_clip and
 * Babel-ImageNet. Python has other fields, conversions (`{c!r}`) and format specifications (`{c:>9}`), which no
 * published template uses: they are errors here.
 */
import { InputError } from "../../errors/input-error.ts";

/** A template, split into texts and places for the class name. */
type Part = { readonly text: string } | "name";

/** Inserts class names into one template. */
export type PromptFormat = (name: string) => string;

/**
 * Reads a template. A template without a field gives the same prompt for each class, as in Python.
 *
 * @param where the file and the place, for errors
 * @throws InputError for a single brace, and for any field except `{c}` and `{}`
 */
export function promptFormat(template: string, where: string): PromptFormat {
  const parts: Part[] = [];
  const add = (text: string): void => {
    if (text !== "") parts.push({ text });
  };
  let at = 0;
  while (at < template.length) {
    const brace = nextBrace(template, at);
    add(template.slice(at, brace));
    if (brace === template.length) break;
    if (template[brace + 1] === template[brace]) {
      add(template[brace]!);
      at = brace + 2;
      continue;
    }
    const end = template[brace] === "{" ? template.indexOf("}", brace) : -1;
    if (end === -1) throw bad(template, where, `a single "${template[brace]}"`);
    const field = template.slice(brace + 1, end);
    if (field !== "c" && field !== "") throw bad(template, where, `the field "{${field}}"`);
    parts.push("name");
    at = end + 1;
  }
  return (name) => parts.map((part) => (part === "name" ? name : part.text)).join("");
}

/** The position of the next brace; the length without one. */
function nextBrace(template: string, from: number): number {
  for (let i = from; i < template.length; i++) if (template[i] === "{" || template[i] === "}") return i;
  return template.length;
}

function bad(template: string, where: string, found: string): InputError {
  const shown = JSON.stringify(template.length > 80 ? `${template.slice(0, 80)}…` : template);
  return new InputError(
    `${where}: the template ${shown} has ${found}, expected "{c}" where the class name goes; ` +
      'write "{{" and "}}" for braces',
  );
}
