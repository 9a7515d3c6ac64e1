/** The views of the page, in the order of the menu. */

export interface View {
  readonly name: string;
  readonly title: string;
}

/** What views are for. The menu separates the groups. */
export const viewGroups = [
  {
    title: "Watch",
    views: [
      { name: "pass", title: "Pass" },
      { name: "attention", title: "Attention" },
      { name: "text", title: "Text" },
      { name: "stream", title: "Stream" },
      { name: "weights", title: "Weights" },
    ],
  },
  {
    title: "Ask",
    views: [
      { name: "match", title: "Match" },
      { name: "lens", title: "Lens" },
      { name: "why", title: "Why" },
      { name: "intervene", title: "Intervene" },
    ],
  },
  {
    title: "Check",
    views: [
      { name: "compare", title: "Compare" },
      { name: "parity", title: "Parity" },
    ],
  },
  {
    title: "Data",
    views: [
      { name: "probe", title: "Probe" },
      { name: "search", title: "Search" },
    ],
  },
] as const satisfies readonly { readonly title: string; readonly views: readonly View[] }[];

export type ViewName = (typeof viewGroups)[number]["views"][number]["name"];

export const viewNames: readonly ViewName[] = viewGroups.flatMap(({ views }) =>
  views.map(({ name }) => name),
);

/** @throws Error for an unknown name */
export function titleOf(view: ViewName): string {
  for (const { views } of viewGroups) {
    for (const { name, title } of views) if (name === view) return title;
  }
  throw new Error(`${view}: expected the name of a view`);
}
