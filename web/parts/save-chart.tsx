/** Saves a line chart as SVG, in the colours in which the page shows it. */
import { download } from "../state/download.ts";
import { Icon } from "./icon.tsx";

/** What the page's style sheet sets and the file must carry. */
const properties = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "opacity",
  "font-size",
  "font-weight",
  "font-family",
];

interface Props {
  /** Of the file, without its ending. */
  readonly name: string;
}

/** Saves the chart of the figure that holds the button. */
export function SaveChart({ name }: Props) {
  return (
    <button
      type="button"
      class="plain"
      aria-label={`Save ${name}.svg`}
      title="Save as SVG"
      onClick={(event) => {
        const chart = event.currentTarget.closest("figure")!.querySelector("svg.layer-chart")!;
        download(`${name}.svg`, "image/svg+xml", svgOf(chart));
      }}
    >
      <Icon name="image" />
    </button>
  );
}

function svgOf(chart: Element): string {
  const copy = chart.cloneNode(true) as Element;
  const originals = chart.querySelectorAll("*");
  for (const [i, element] of [...copy.querySelectorAll("*")].entries()) {
    const style = getComputedStyle(originals[i]!);
    for (const property of properties) element.setAttribute(property, style.getPropertyValue(property));
    element.removeAttribute("class");
  }
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  copy.prepend(ground);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  for (const name of ["class", "tabIndex", "role", "aria-label"]) copy.removeAttribute(name);
  return new XMLSerializer().serializeToString(copy);
}
