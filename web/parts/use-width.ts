import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

/** The width of an element in CSS pixels, so that charts keep the size of their text on narrow screens. */
export function useWidth<E extends Element>(before: number): readonly [RefObject<E | null>, number] {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(before);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const found = Math.round(entry!.contentRect.width);
      if (found > 0) setWidth(found);
    });
    observer.observe(element.current!);
    return () => {
      observer.disconnect();
    };
  }, []);
  return [element, width];
}
