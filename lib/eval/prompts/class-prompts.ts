/** The prompts of each class, and what is unusual about them. */
import { InputError } from "../../errors/input-error.ts";
import type { ChosenPrompts } from "./choose-prompts.ts";
import { promptFormat } from "./format-prompt.ts";

/**
 * The prompts of each class. Templates have the class name inserted; prompts by class name are used as they are.
 * Blank and repeated class names are legal.
 *
 * @throws InputError for a template that Python would refuse, for no templates, and for a class without prompts
 */
export function classPrompts({
  classNames,
  templates,
  sources,
}: Pick<ChosenPrompts, "classNames" | "templates" | "sources">): string[][] {
  if (classNames.length === 0)
    throw new InputError(`${sources.classNames}: expected at least one class name`);
  if (!isList(templates)) {
    return classNames.map((name) => {
      const prompts = templates.get(name);
      if (prompts !== undefined && prompts.length > 0) return [...prompts];
      throw new InputError(`${sources.templates}: no prompts for the class ${JSON.stringify(name)}`);
    });
  }
  if (templates.length === 0) throw new InputError(`${sources.templates}: expected at least one template`);
  const formats = templates.map((template) => promptFormat(template, sources.templates));
  return classNames.map((name) => formats.map((format) => format(name)));
}

function isList(templates: ChosenPrompts["templates"]): templates is readonly string[] {
  return Array.isArray(templates);
}

/** What to tell about class names: all of it is legal, and some of it lowers the accuracy. */
export interface NamesReport {
  /** Names that several classes have, with the classes. The first of them wins where their scores are equal. */
  readonly repeated: readonly { readonly name: string; readonly classes: readonly number[] }[];
  /** Classes whose name is empty or has only white space. */
  readonly blank: readonly number[];
  /** Classes whose name begins or ends with white space. */
  readonly padded: readonly number[];
}

/** Finds the repeated, blank and padded names in a list of class names. All of them are legal. */
export function reportNames(classNames: readonly string[]): NamesReport {
  const classesOf = new Map<string, number[]>();
  for (const [c, name] of classNames.entries()) {
    const classes = classesOf.get(name);
    if (classes === undefined) classesOf.set(name, [c]);
    else classes.push(c);
  }
  const where = (test: (name: string) => boolean): number[] =>
    [...classNames.keys()].filter((c) => test(classNames[c]!));
  return {
    repeated: [...classesOf]
      .filter(([, classes]) => classes.length > 1)
      .map(([name, classes]) => ({ name, classes })),
    blank: where((name) => name.trim() === ""),
    padded: where((name) => name.trim() !== "" && name.trim() !== name),
  };
}
