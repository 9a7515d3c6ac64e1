/**
 * Charts as a part of a page. Files have fixed colours, so that they look the same everywhere; in a page they take its
 * colours, light or dark, from the custom properties `--ink`, `--strong`, `--weak` and `--faint`.
 */
import { faint, strong, weak } from "./charts/axes.ts";
import { backgroundSource, ink } from "./svg.ts";

const properties: ReadonlyMap<string, string> = new Map([
  [ink, "--ink"],
  [strong, "--strong"],
  [weak, "--weak"],
  [faint, "--faint"],
]);

/**
 * @param svg the text of an SVG file, from one of the charts
 * @param id unique in the page: prefixes the ids in the chart
 */
export function themed(svg: string, id: string): string {
  let themed = svg.replace(backgroundSource, "");
  for (const [color, property] of properties) {
    themed = themed.replaceAll(`"${color}"`, `"var(${property}, ${color})"`);
  }
  return themed.replaceAll(/ id="(\w+)"/g, ` id="${id}-$1"`).replaceAll(/url\(#(\w+)\)/g, `url(#${id}-$1)`);
}
