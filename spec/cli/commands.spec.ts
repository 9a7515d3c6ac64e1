/** Every command on the models of other projects: the same answers as on the OpenCLIP directories that `convert` writes. */
import assert from "node:assert/strict";
import { cp, mkdir, readFile } from "node:fs/promises";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { clipscope } from "../support/cli.ts";
import { completeOrigin, origins } from "../support/origins.ts";
import { temporaryFolder } from "../support/temporary.ts";

const samples = `${demoModel}/samples`;

/** The arguments of a command whose printed document must not depend on the layout. OUT is a folder for its files. */
const commands: Readonly<Record<string, readonly string[]>> = {
  classify: ["classify", "IMAGES", "--labels", "cat,dog,猫"],
  search: ["search", "cat", "IMAGES"],
  tokenize: ["tokenize", "a cat, 一只猫。"],
  inspect: ["inspect"],
  trace: [
    "trace",
    "--image",
    `${samples}/two-red-circles.png`,
    "--text",
    "cat",
    "--stats",
    "--taps",
    "*ln_*",
  ],
  explain: ["explain", `${samples}/two-red-circles.png`, "--text", "cat", "--out", "OUT/why"],
};

describe("the commands", () => {
  const folder = temporaryFolder();
  let images: string;
  beforeEach(async () => {
    images = folder.file("images");
    for (const [name, label] of [
      ["two-red-circles", "circle"],
      ["three-brown-stars", "star"],
    ] as const) {
      await mkdir(`${images}/${label}`, { recursive: true });
      await cp(`${samples}/${name}.png`, `${images}/${label}/${name}.png`);
    }
  });

  /** What a command prints, with the folder's own paths replaced. */
  async function printed(args: readonly string[], model: string, out: string): Promise<string> {
    const given = args.map((arg) => arg.replace("IMAGES", images).replace("OUT", out));
    await mkdir(out, { recursive: true });
    const { status, stdout, stderr } = await clipscope([...given, "--json", "--model", model]);
    assert.deepEqual([status, stderr.replace(/.*logit scale.*\n/, "")], [0, ""], args[0]);
    return stdout.replaceAll(out, "OUT").replaceAll(model, "MODEL");
  }

  for (const name of origins) {
    it(`answer as for the converted model: ${name}`, async () => {
      const model = await completeOrigin(name, folder.file(name));
      const converted = folder.file(`${name}-openclip`);
      const conversion = await clipscope(["convert", model, converted]);
      assert.equal(conversion.status, 0, conversion.stderr);
      for (const [command, args] of Object.entries(commands)) {
        const [own, other] = [
          await printed(args, model, folder.file("a")),
          await printed(args, converted, folder.file("b")),
        ];
        assert.equal(comparable(own), comparable(other), command);
        assert.ok(own.length > 40, command);
      }
      const difference = await clipscope(["diff", model, converted, "--json"]);
      assert.equal(difference.status, 0, difference.stderr + difference.stdout);
    });

    it(`embed, fit, evaluate and verify: ${name}`, async () => {
      const model = await completeOrigin(name, folder.file(name));
      const features = folder.file("features.safetensors");
      const probe = folder.file("probe.safetensors");
      const results = folder.file("results");
      for (const args of [
        ["embed", "--images", images, "--out", features, "--model", model],
        ["probe", "fit", "--features", features, "--out", probe],
        ["probe", "eval", "--probe", probe, "--features", features],
        ["probe", "predict", images, "--probe", probe, "--model", model],
        ["eval", images, "--model", model, "--out", results, "--features", folder.file("kept")],
        [
          "trace",
          "--image",
          `${samples}/two-red-circles.png`,
          "--text",
          "cat",
          "--out",
          folder.file("t.safetensors"),
          "--model",
          model,
        ],
        ["verify", "--model", model, "--golden", folder.file("t.safetensors")],
      ]) {
        const { status, stderr } = await clipscope(args);
        assert.equal(status, 0, `${args.slice(0, 2).join(" ")}: ${stderr}`);
      }
      assert.ok((await readFile(features)).length > 0);
    });
  }
});

/** Without what differs between two runs or two files of weights. */
function comparable(document: string): string {
  return document.replaceAll(/"(milliseconds|offset)":[\d.]+/g, '"$1":0');
}
