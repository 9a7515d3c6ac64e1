/** Points in a plane, on a canvas: the marked ones have numbers. */
import { extent } from "d3-array";
import { scaleLinear } from "d3-scale";
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { theme } from "../state/settings.ts";
import { useWidth } from "./use-width.ts";

interface Props {
  /** [points, 2] */
  readonly places: Float32Array;
  readonly nameOf: (point: number) => string;
  /** Points by rank, best first. */
  readonly marked: readonly number[];
  readonly title: string;
  readonly onPoint: (point: number) => void;
}

/** In pixels, until the map's own width is known. */
const usualWidth = 720;
const margin = 22;
/** In pixels: how near the pointer must be. */
const reach = 24;

export function ScatterMap({ places, nameOf, marked, title, onPoint }: Props) {
  const [canvas, width] = useWidth<HTMLCanvasElement>(usualWidth);
  const height = Math.round(0.64 * width);
  const sharpness = devicePixelRatio;
  const [pointed, setPointed] = useState<number | null>(null);
  const count = places.length / 2;
  const place = useMemo(() => placer(places, [width, height]), [places, width, height]);
  useLayoutEffect(() => {
    draw(canvas.current!, sharpness, { count, place, marked, pointed });
  }, [place, marked.join(), pointed, theme.value]);
  const nearest = (event: PointerEvent | MouseEvent): number | null => {
    const box = canvas.current!.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best: number | null = null;
    let least = reach ** 2;
    for (let i = 0; i < count; i++) {
      const [px, py] = place(i);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  };
  return (
    <div>
      <canvas
        ref={canvas}
        class="scatter-map"
        width={width * sharpness}
        height={height * sharpness}
        role="img"
        tabIndex={0}
        aria-label={`${title}; arrow keys step through the results, Enter searches for what is similar`}
        onPointerMove={(event) => {
          setPointed(nearest(event));
        }}
        onPointerLeave={() => {
          setPointed(null);
        }}
        onClick={(event) => {
          const point = nearest(event);
          if (point !== null) onPoint(point);
        }}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
          if (event.key === "Enter" && pointed !== null) onPoint(pointed);
          else if (step === undefined || marked.length === 0) return;
          else {
            const at = pointed === null ? -step : marked.indexOf(pointed);
            setPointed(marked[Math.min(Math.max(at + step, 0), marked.length - 1)]!);
          }
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <p class="readout" aria-live="polite">
        {pointed === null ? (
          <span class="muted">Point at a dot, or use the arrow keys.</span>
        ) : (
          nameOf(pointed)
        )}
      </p>
    </div>
  );
}

/** One unit is as long along both axes, so that distances can be compared. */
function placer(
  places: Float32Array,
  size: readonly [width: number, height: number],
): (point: number) => readonly [x: number, y: number] {
  const axis = (offset: number): readonly [number, number] => {
    const [low = 0, high = 0] = extent(
      Array.from({ length: places.length / 2 }, (_, i) => places[2 * i + offset]!),
    );
    return [low, high];
  };
  const [horizontal, vertical] = [axis(0), axis(1)];
  const unit = Math.max(
    (horizontal[1] - horizontal[0]) / (size[0] - 2 * margin),
    (vertical[1] - vertical[0]) / (size[1] - 2 * margin),
    1e-12,
  );
  const middle = ([low, high]: readonly [number, number]): number => (low + high) / 2;
  const x = scaleLinear([middle(horizontal), middle(horizontal) + unit], [size[0] / 2, size[0] / 2 + 1]);
  const y = scaleLinear([middle(vertical), middle(vertical) + unit], [size[1] / 2, size[1] / 2 - 1]);
  return (point) => [x(places[2 * point]!), y(places[2 * point + 1]!)];
}

interface Drawn {
  readonly count: number;
  readonly place: (point: number) => readonly [x: number, y: number];
  readonly marked: readonly number[];
  readonly pointed: number | null;
}

function draw(canvas: HTMLCanvasElement, sharpness: number, { count, place, marked, pointed }: Drawn): void {
  const context = canvas.getContext("2d")!;
  const style = getComputedStyle(canvas);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
  const dot = (point: number, radius: number): void => {
    context.beginPath();
    context.arc(...place(point), radius, 0, 2 * Math.PI);
    context.fill();
  };
  context.fillStyle = style.color;
  context.globalAlpha = count > 2000 ? 0.25 : 0.55;
  for (let i = 0; i < count; i++) dot(i, count > 2000 ? 1.5 : 3.5);
  context.globalAlpha = 1;
  context.font = "11px system-ui, sans-serif";
  for (const [rank, point] of marked.entries()) {
    context.fillStyle = style.caretColor;
    dot(point, 5);
    if (rank >= 10) continue;
    const [x, y] = place(point);
    context.fillText(`${rank + 1}`, x + 7, y + 4);
  }
  if (pointed === null) return;
  context.strokeStyle = style.color;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(...place(pointed), 8, 0, 2 * Math.PI);
  context.stroke();
}
