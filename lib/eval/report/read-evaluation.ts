/** Reads the details of a result, which `clipscope eval` writes. */
import { JsonValue } from "../../json/json-value.ts";
import type { Details, PromptSummary, RankSummary, WorstRetrieval } from "../evaluation.ts";
import type { ResultEvaluation } from "./reported-result.ts";

/** @throws InputError for another format */
export function readEvaluation(json: string | Uint8Array, file: string): ResultEvaluation {
  const fix = "expected details that clipscope eval wrote; evaluate again to write them";
  const root = JsonValue.parse(json, file, { fix });
  return {
    images: root.at("images").integer(0),
    datasetImages: root.at("datasetImages").integer(0),
    failed: root
      .at("failed")
      .items()
      .map((one) => ({ image: one.at("image").string(), reason: one.at("reason").string() })),
    ties: root.at("ties").integer(0),
    layout: root.at("layout").string(),
    split: nullable(root.at("split"), (value) => value.string()),
    imagesSha256: root.at("imagesSha256").string(),
    standardErrors: Object.fromEntries(
      root
        .at("standardErrors")
        .entries()
        .map(([name, value]) => [name, nullable(value, (one) => one.number())]),
    ),
    prompts: nullable(root.at("prompts"), readPrompts),
    details: readDetails(root.at("details")),
  };
}

function nullable<T>(value: JsonValue, read: (value: JsonValue) => T): T | null {
  return value.isMissing ? null : read(value);
}

function readPrompts(value: JsonValue): PromptSummary {
  const names = value.at("names");
  return {
    sources: {
      classNames: value.at("sources").at("classNames").string(),
      templates: value.at("sources").at("templates").string(),
    },
    isFallback: value.at("isFallback").boolean(),
    classes: value.at("classes").integer(0),
    prompts: value.at("prompts").integer(0),
    first: value.at("first").strings(),
    names: {
      repeated: names
        .at("repeated")
        .items()
        .map((one) => ({ name: one.at("name").string(), classes: one.at("classes").integers(0) })),
      blank: names.at("blank").integers(0),
      padded: names.at("padded").integers(0),
    },
    sha256: value.at("sha256").string(),
  };
}

function readDetails(value: JsonValue): Details {
  const kind = value
    .at("kind")
    .oneOf("classification", "multilabel", "retrieval", "selection", "linear_probe");
  switch (kind) {
    case "classification":
      return { kind, ...readClasses(value) };
    case "multilabel":
      return {
        kind,
        classes: value
          .at("classes")
          .items()
          .map((one) => ({
            name: one.at("name").string(),
            positives: one.at("positives").integer(0),
            averagePrecision: one.at("averagePrecision").number(),
          })),
      };
    case "retrieval":
      return {
        kind,
        captions: value.at("captions").integer(0),
        imageRank: readRanks(value.at("imageRank")),
        textRank: readRanks(value.at("textRank")),
        worstImageRetrievals: value.at("worstImageRetrievals").items().map(readWorst),
        worstTextRetrievals: value.at("worstTextRetrievals").items().map(readWorst),
      };
    case "selection":
      return { kind, instances: value.at("instances").integer(0), wrong: value.at("wrong").integers(0) };
    case "linear_probe":
      return {
        kind,
        trainImages: value.at("trainImages").integer(0),
        weightDecay: value.at("weightDecay").number(),
        ...readClasses(value),
      };
  }
}

function readClasses(
  value: JsonValue,
): Pick<Extract<Details, { kind: "classification" }>, "classes" | "confusions"> {
  const classes = value
    .at("classes")
    .items()
    .map((one) => ({
      name: one.at("name").string(),
      examples: one.at("examples").integer(0),
      recall: nullable(one.at("recall"), (share) => share.number()),
      precision: nullable(one.at("precision"), (share) => share.number()),
    }));
  const last = classes.length - 1;
  const confusions = value
    .at("confusions")
    .items()
    .map((triple) => {
      const [truth, predicted, images] = triple.items();
      if (truth === undefined || predicted === undefined || images === undefined) {
        throw triple.error("[true class, predicted class, images]");
      }
      return [truth.integer(0, last), predicted.integer(0, last), images.integer(0)] as const;
    });
  return { classes, confusions };
}

function readRanks(value: JsonValue): RankSummary {
  return { mean: value.at("mean").number(), median: value.at("median").number() };
}

function readWorst(value: JsonValue): WorstRetrieval {
  return {
    image: value.at("image").string(),
    caption: nullable(value.at("caption"), (caption) => caption.string()),
    rank: value.at("rank").integer(1),
    instead: value.at("instead").string(),
  };
}
