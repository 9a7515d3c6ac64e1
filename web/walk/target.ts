/** Marks the part of a view that a step of the walk is about, and scrolls to it. */

const mark = "data-walk-target";

/** In pixels, around the part. */
const space = 16;

/**
 * Waits for the part, which may come with a result, and marks it whenever the view draws it again.
 *
 * @param panel the walk's, which must not cover the part; it is inside of `main`
 * @returns ends it
 */
export function markTarget(panel: HTMLElement, selector: string): () => void {
  const main = panel.parentElement!;
  const marked = (): Element | null => main.querySelector(`[${mark}]`);
  let hasScrolled = false;
  const look = (): void => {
    const target = main.querySelector(selector);
    if (target === null || target === marked()) return;
    marked()?.removeAttribute(mark);
    target.setAttribute(mark, "");
    if (hasScrolled) return;
    hasScrolled = true;
    scrollTo(panel, target);
  };
  const observer = new MutationObserver(look);
  observer.observe(main, { childList: true, subtree: true });
  look();
  return () => {
    observer.disconnect();
    marked()?.removeAttribute(mark);
  };
}

/** Scrolls the part to where neither the header nor the panel covers it, unless it is there. */
function scrollTo(panel: Element, target: Element): void {
  const covered = panel.getBoundingClientRect();
  const header = document.querySelector("header")!.getBoundingClientRect();
  const isBelow = covered.top > innerHeight / 2;
  const top = (isBelow ? header.bottom : covered.bottom) + space;
  const bottom = (isBelow ? covered.top : innerHeight) - space;
  const place = target.getBoundingClientRect();
  if (place.top >= top && place.bottom <= bottom) return;
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scrollBy({ top: place.top - top, behavior: isCalm ? "auto" : "smooth" });
}
