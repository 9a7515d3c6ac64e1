/** The JSON of a parity report, as `verify --json` prints it. */
import type { JsonValue } from "../json/json-value.ts";
import type { ParityReport, TapReport } from "./verify.ts";

/** A report as `verify --json` prints it. */
export function encodeReport({ passed, worst, taps, worstRatio, precision }: ParityReport): unknown {
  return {
    passed,
    worst: encodeTap(worst),
    taps: taps.map(encodeTap),
    ...(precision !== "f32" && { precision }),
    ...(worstRatio && { worstRatio: encodeTap(worstRatio) }),
  };
}

function encodeTap({ name, relativeL2, maxAbs, cosine, passed, missing, ratio }: TapReport): unknown {
  return {
    name,
    relativeL2,
    maxAbs,
    cosine,
    passed,
    ...(missing !== undefined && { missing }),
    ...(ratio !== undefined && { ratio }),
  };
}

/** What a file of `verify --json` holds. Positions and the tolerance are not part of it. */
export interface StoredReport {
  readonly passed: boolean;
  readonly taps: readonly Omit<TapReport, "worst" | "problem">[];
}

/** @throws InputError for other JSON */
export function decodeReport(json: JsonValue): StoredReport {
  const taps = json.at("taps").items().map(decodeTap);
  if (taps.length === 0) throw json.at("taps").error("the comparison of at least one tap");
  return { passed: json.at("passed").boolean(), taps };
}

function decodeTap(tap: JsonValue): StoredReport["taps"][number] {
  const figure = (key: string): number | null => (tap.at(key).isMissing ? null : tap.at(key).number());
  return {
    name: tap.at("name").string(),
    relativeL2: figure("relativeL2"),
    maxAbs: figure("maxAbs"),
    cosine: figure("cosine"),
    passed: tap.at("passed").boolean(),
    ...(!tap.at("missing").isMissing && { missing: tap.at("missing").oneOf("ours", "golden") }),
    ...(!tap.at("ratio").isMissing && { ratio: tap.at("ratio").number() }),
  };
}
