/** The comparison of a network with a golden, and the values of one tap on both sides. */
import { computed, signal } from "@preact/signals";
import type { ComparedValues, TapReport } from "../../lib/parity/verify.ts";
import { NoticeError, type Calls, type Client } from "../worker/protocol.ts";
import { droppedGoldens, findGolden, type OpenGolden, type OpenReport } from "./goldens.ts";
import { network } from "./network.ts";
import { route } from "./navigation.ts";
import { otherModel } from "./other-model.ts";
import { follow, modelInfo } from "./session.ts";

/** The largest relative L2 that passes, as the default of `verify`. */
export const tolerance = 1e-4;

/** The server takes requests of 32 MB; base64 makes a golden a third longer. */
const largestGolden = 23 * 2 ** 20;

/** A tap's row: as live, or from a report, which has no positions. */
export type TapRow = Omit<TapReport, "worst">;

export interface Parity {
  readonly of: string;
  readonly golden: OpenGolden | OpenReport;
  readonly taps: readonly TapRow[];
  readonly isComplete: boolean;
  /** PyTorch's own relative L2 in float32; null if the golden has none. */
  readonly float32: Readonly<Record<string, number>> | null;
}

const found = signal<Parity | null>(null);
const foundValues = signal<{ readonly of: string; readonly values: ComparedValues | null } | null>(null);
/** Why there is no comparison, or why it says little. */
export const parityProblem = signal<string | null>(null);

/** The network that is compared, with its name; null if it is not open. */
const compared = computed<{ readonly client: Client; readonly name: string } | null>(() => {
  if (route.value.compared === "page") return { client: network, name: modelInfo.value?.name ?? "" };
  const other = otherModel.value;
  return other && { client: other.client, name: other.info.name };
});

/** The name of the network that is compared. */
export const comparedName = computed(() => compared.value?.name ?? "no model");

const wanted = computed(() => {
  const { view, golden, isolated, compared: which } = route.value;
  if (view !== "parity" || compared.value === null) return null;
  // A file that is dropped later makes the question a new one.
  const isHere = !golden.startsWith("file:") || droppedGoldens.value.has(golden.slice("file:".length));
  return JSON.stringify([golden, isHere, isolated, which, compared.value.name]);
});

export const parity = computed(() =>
  found.value !== null && found.value.of === wanted.value ? found.value : null,
);

type VerifyParams = Calls["verifyGolden"]["params"];

async function paramsFor(golden: OpenGolden, tap: string | null): Promise<VerifyParams> {
  const { name, blob, isWhole } = golden;
  if (blob.size > largestGolden) {
    throw new NoticeError(
      `${name}: expected a golden of at most 23 MB, found ${Math.round(blob.size / 2 ** 20)} MB; run "clipscope verify --json" and drop its report`,
    );
  }
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return { name, bytes, tolerance, isolated: route.peek().isolated && isWhole, tap };
}

/** In milliseconds. */
const patience = 100;

follow(
  () => wanted.value,
  async (of, abort) => {
    if (found.peek()?.of === of && found.peek()?.isComplete === true) return;
    parityProblem.value = null;
    let golden: OpenGolden | OpenReport | null = null;
    try {
      golden = await findGolden(route.peek().golden);
      if (golden === null) parityProblem.value = "This file is not open here. Drop it on the page.";
      else found.value = await compareWith(golden, of, abort);
    } catch (error) {
      if (abort.aborted || !(error instanceof Error)) throw error;
      const made = golden?.kind === "golden" ? ` ${madeWith(golden)}` : "";
      parityProblem.value = `${error.message}.${made}`;
    }
  },
);

async function compareWith(golden: OpenGolden | OpenReport, of: string, abort: AbortSignal): Promise<Parity> {
  if (golden.kind === "report") {
    return { of, golden, taps: golden.report.taps, isComplete: true, float32: null };
  }
  const taps: TapReport[] = [];
  let shown = performance.now();
  const { client } = compared.peek()!;
  const { report, float32 } = await client.call("verifyGolden", await paramsFor(golden, null), {
    signal: abort,
    onUpdate: (tap) => {
      taps.push(tap);
      if (performance.now() - shown < patience) return;
      shown = performance.now();
      found.value = { of, golden, taps: [...taps], isComplete: false, float32: null };
    },
  });
  const odd = report.taps.filter((tap) => tap.missing !== undefined || tap.problem !== undefined);
  if (odd.length > 0) {
    const [first] = odd;
    const what = first!.problem ?? `missing in ${first!.missing === "ours" ? "the network" : "the golden"}`;
    parityProblem.value = `${odd.length} of ${report.taps.length} values do not correspond, the first at ${first!.name}: ${what}. ${madeWith(golden)}`;
  }
  return { of, golden, taps: report.taps, isComplete: true, float32 };
}

function madeWith({ name, origin }: OpenGolden): string {
  return `${name} was made with ${origin}; the network here is ${comparedName.peek()}. Open the model directory that the golden was made with.`;
}

/** The tap whose values are shown: the chosen one, or the worst. */
export const shownTap = computed<TapRow | null>(() => {
  const taps = parity.value?.isComplete === true ? parity.value.taps : [];
  const chosen = taps.find(({ name }) => name === route.value.tap);
  const size = ({ relativeL2 }: TapRow): number => relativeL2 ?? -1;
  return chosen ?? taps.reduce<TapRow | null>((a, b) => (a === null || size(b) > size(a) ? b : a), null);
});

const wantedValues = computed(() => {
  const tap = shownTap.value;
  if (tap?.relativeL2 == null || parity.value?.golden.kind !== "golden") return null;
  return `${parity.value.of}\n${tap.name}`;
});

follow(
  () => wantedValues.value,
  async (of, abort) => {
    if (foundValues.peek()?.of === of) return;
    const params = await paramsFor(parity.peek()!.golden as OpenGolden, shownTap.peek()!.name);
    const { values } = await compared.peek()!.client.call("verifyGolden", params, { signal: abort });
    foundValues.value = { of, values };
  },
);

/** Ours and the golden's values of the shown tap; null until they are there. */
export const tapValues = computed(() =>
  foundValues.value !== null && foundValues.value.of === wantedValues.value ? foundValues.value.values : null,
);
