import { strict as assert } from "node:assert";
import { cp, readFile, truncate, writeFile } from "node:fs/promises";
import { clipscope, type Result } from "../../support/cli.ts";
import { editSafetensors, type StoredTensor } from "../../support/edit-safetensors.ts";
import { tinyGolden } from "../../support/golden.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Tap {
  readonly name: string;
  readonly relativeL2: number | null;
  readonly maxAbs: number | null;
  readonly cosine: number | null;
  readonly passed: boolean;
  readonly missing?: string;
  readonly ratio?: number;
}

interface Report {
  readonly passed: boolean;
  readonly worst: Tap;
  readonly worstRatio?: Tap;
  readonly taps: readonly Tap[];
}

const model = fixture("tiny/gelu-mlp");
const golden = tinyGolden("gelu-mlp");
const moduleTap = "visual.transformer.resblocks.1.mlp.c_fc";

describe("clipscope verify", () => {
  const folder = temporaryFolder();

  function verify(file: string, ...args: string[]): Promise<Result> {
    return clipscope(["verify", "--model", model, "--backend", "wasm", "--golden", file, ...args]);
  }

  async function report(file: string, ...args: string[]): Promise<{ status: number; report: Report }> {
    const { status, stdout, stderr } = await verify(file, "--json", ...args);
    assert.equal(stderr, "");
    return { status, report: JSON.parse(stdout) as Report };
  }

  /** Writes a modified golden. */
  async function edited(
    change: (tensors: Map<string, StoredTensor>, metadata: Map<string, string>) => void,
  ): Promise<string> {
    const path = folder.file("golden.safetensors");
    await writeFile(path, await editSafetensors(golden, change));
    return path;
  }

  /** The names of the taps that failed. */
  const failures = ({ taps }: Report): string[] =>
    taps.filter(({ passed }) => !passed).map(({ name }) => name);

  it("passes a golden of OpenCLIP, and prints the figures of every tap", async () => {
    const { status, report: result } = await report(golden);
    assert.deepEqual([status, result.passed, result.taps.length], [0, true, 90]);
    for (const tap of result.taps) {
      assert.deepEqual(Object.keys(tap), ["name", "relativeL2", "maxAbs", "cosine", "passed"]);
      assert.ok(tap.relativeL2! < 1e-5 && tap.maxAbs! < 1e-4 && tap.cosine! > 0.999999, tap.name);
    }
    const worst = Math.max(...result.taps.map(({ relativeL2 }) => relativeL2!));
    assert.deepEqual(
      result.worst,
      result.taps.find(({ relativeL2 }) => relativeL2 === worst),
    );
    assert.equal(new Set(result.taps.map(({ name }) => name)).size, 90);
  });

  it("fails if a value differs, and names the tap", async () => {
    const file = await edited((tensors) => {
      new DataView(tensors.get(moduleTap)!.bytes.buffer).setFloat32(4 * 40, 9, true);
    });
    const { status, report: result } = await report(file);
    assert.deepEqual([status, result.passed, failures(result)], [1, false, [moduleTap]]);
    assert.equal(result.worst.name, moduleTap);
    const { stdout } = await verify(file);
    assert.match(stdout, /\n▶ \S*resblocks\.1\.mlp\.c_fc .* \[0,0,40\]\n/);
    assert.match(stdout, /\nfailed: 1 of 90 taps beyond 1e-4/);
  });

  it("--tolerance sets the limit", async () => {
    const strict = await report(golden, "--tolerance", "1e-8");
    assert.equal(strict.status, 1);
    const { relativeL2 } = strict.report.worst;
    assert.equal((await report(golden, "--tolerance", String(relativeL2!))).status, 0);
  });

  it("fails taps that are missing on one side", async () => {
    const file = await edited((tensors) => {
      tensors.set("visual.ln_mid", tensors.get("visual.ln_pre")!);
      tensors.delete("text.pooler");
    });
    const { status, report: result } = await report(file);
    const missing = result.taps.filter((tap) => tap.missing !== undefined);
    const nothing = { relativeL2: null, maxAbs: null, cosine: null, passed: false };
    assert.equal(status, 1);
    assert.deepEqual(missing, [
      { name: "text.pooler", ...nothing, missing: "golden" },
      { name: "visual.ln_mid", ...nothing, missing: "ours" },
    ]);
    const { stdout } = await verify(file);
    assert.match(stdout, /▶ text\.pooler +not in the golden\n/);
    assert.match(stdout, /✗ visual\.ln_mid +only in the golden\n/);
  });

  it("fails a golden of both towers without the features or logits", async () => {
    const file = await edited((tensors) => {
      tensors.delete("logits_per_image");
      tensors.delete("text_features");
    });
    const { report: result } = await report(file);
    assert.deepEqual(failures(result), ["text_features", "logits_per_image"]);
  });

  it("ignores missing dropouts, identity layer scales and module lists, but not similar names", async () => {
    const file = await edited((tensors) => {
      const some = tensors.get("visual.ln_pre")!;
      for (const name of ["visual.attn_dropout", "visual.transformer.resblocks", "text.proj.2.ls_3"])
        tensors.set(name, some);
    });
    assert.deepEqual(failures((await report(file)).report), ["text.proj.2.ls_3"]);
    const withProjection = await clipscope([
      ..."verify --backend wasm --json --model".split(" "),
      fixture("tiny/no-projection"),
      "--golden",
      tinyGolden("no-projection"),
    ]);
    assert.equal(withProjection.status, 0, "text.proj where there is none");
  });

  for (const [what, value] of [
    ["NaN", NaN],
    ["an infinity", Infinity],
  ] as const) {
    it(`fails ${what} and prints null for the figures`, async () => {
      const file = await edited((tensors) => {
        new DataView(tensors.get(moduleTap)!.bytes.buffer).setFloat32(0, value, true);
      });
      const { status, report: result } = await report(file);
      assert.equal(status, 1);
      assert.deepEqual(failures(result), [moduleTap]);
      assert.deepEqual(result.worst.relativeL2, null);
      assert.match((await verify(file)).stdout, /▶ \S*c_fc +not finite\n/);
    });
  }

  it("fails a tap of another shape", async () => {
    const file = await edited((tensors) => {
      const tap = tensors.get("visual.ln_pre")!;
      tensors.set("visual.ln_pre", { ...tap, shape: [2, 40, 7] });
      const text = tensors.get("text.transformer")!;
      tensors.set("text.transformer", { ...text, shape: [3, 11, 32], bytes: text.bytes.slice(3 * 32 * 4) });
    });
    const { status, report: result } = await report(file);
    assert.deepEqual([status, failures(result)], [1, ["visual.ln_pre", "text.transformer"]]);
    assert.match(
      (await verify(file)).stdout,
      /visual\.ln_pre +shape \[2, 7, 40\], in the golden \[2, 40, 7\]\n/,
    );
  });

  it("accepts a golden of one tower, with or without the features", async () => {
    for (const [tower, taps] of [
      ["visual", 30],
      ["text", 59],
    ] as const) {
      const input = tower === "visual" ? "input.image" : "input.text";
      const features = tower === "visual" ? "image_features" : "text_features";
      const one = (...extra: string[]): Promise<string> =>
        edited((tensors) => {
          for (const name of tensors.keys()) {
            if (name.split(".")[0] !== tower && ![input, ...extra].includes(name)) tensors.delete(name);
          }
        });
      const whole = await report(await one(features));
      assert.deepEqual([whole.status, whole.report.taps.length], [0, taps]);
      const without = await report(await one());
      assert.deepEqual([without.status, without.report.taps.length], [0, taps - 1]);
    }
  });

  it("compares only real tokens, whatever the golden's padding contains", async () => {
    const file = await edited((tensors) => {
      for (const [name, tensor] of tensors) {
        if (name === "input.text")
          tensors.set(
            name,
            padded(tensor, 8, 90, (view, at) => {
              view.setBigInt64(at, 1n, true);
            }),
          );
        else if (name.startsWith("text.") && tensor.shape.length === 3)
          tensors.set(
            name,
            padded(tensor, 4 * tensor.shape[2]!, 90, (view, at) => {
              view.setFloat32(at, NaN, true);
            }),
          );
      }
    });
    const { status, report: result } = await report(file);
    assert.deepEqual([status, failures(result)], [0, []]);
    assert.equal((await report(file, "--isolated")).status, 0);
  });

  it("--isolated shows an error only in the module that makes it", async () => {
    await cp(model, folder.path, { recursive: true });
    const weights = await editSafetensors(`${model}/open_clip_model.safetensors`, (tensors) => {
      const bias = tensors.get("visual.transformer.resblocks.1.ln_2.bias")!;
      new DataView(bias.bytes.buffer).setFloat32(0, 5, true);
    });
    await writeFile(folder.file("open_clip_model.safetensors"), weights);
    const wrong = (...args: string[]): Promise<Result> =>
      clipscope([
        "verify",
        "--model",
        folder.path,
        "--backend",
        "wasm",
        "--golden",
        golden,
        "--json",
        ...args,
      ]);
    const isolated = JSON.parse((await wrong("--isolated")).stdout) as Report;
    assert.deepEqual(failures(isolated), ["visual.transformer.resblocks.1.ln_2"]);
    const { stdout } = await verify(golden, "--isolated");
    assert.match(stdout, /\nmean relative L2 error of each kind of module:\n {2}\S.* \d\.\de-\d\n/);
    assert.match(stdout, /\n {2}resblocks: mlp\.c_proj +\d\.\de-7\n/);
    const endToEnd = JSON.parse((await wrong()).stdout) as Report;
    assert.equal(failures(endToEnd)[0], "visual.transformer.resblocks.1.ln_2");
    assert.ok(failures(endToEnd).length > 10);
  });

  it("compares with PyTorch's own error, if the golden has it", async () => {
    const errors = { "visual.conv1": 1e-6, [moduleTap]: 1e-9, "text.pooler": 0 };
    const file = await edited((_, metadata) => metadata.set("float32_error", JSON.stringify(errors)));
    const { report: result } = await report(file);
    const ratioOf = (name: string): number | undefined => result.taps.find((tap) => tap.name === name)?.ratio;
    const errorOf = (name: string): number => result.taps.find((tap) => tap.name === name)!.relativeL2!;
    assert.equal(ratioOf("visual.conv1"), errorOf("visual.conv1") / 1e-6);
    assert.equal(
      ratioOf(moduleTap),
      errorOf(moduleTap) / 2 ** -25,
      "errors below float32's rounding count as that rounding",
    );
    assert.equal(ratioOf("visual"), undefined);
    const { stdout } = await verify(file);
    const largest = Math.max(...result.taps.map(({ ratio = 0 }) => ratio));
    assert.equal(result.worstRatio?.ratio, largest);
    assert.match(stdout, /^PyTorch's own float32 error is at most 1\.0e-6; ours is /m);
    assert.ok(stdout.includes(`median tap and ${largest.toFixed(2)} times at the worst, `), stdout);
    assert.doesNotMatch((await verify(file, "--isolated")).stdout, /PyTorch/);
  });

  it("fits the terminal's width", async () => {
    for (const columns of [80, 60]) {
      const { stdout } = await clipscope(["verify", "--model", model, "--golden", golden], {
        columns,
        env: { NO_COLOR: "1" },
      });
      const table = stdout.split("\n").slice(0, -3);
      for (const line of table) assert.ok(line.length <= columns, line);
      assert.match(stdout, /image tower: relative L2 by depth\n +1e-\d ┤/);
    }
  });

  it("--html writes a self-contained page", async () => {
    const page = folder.file("report.html");
    const file = await edited((tensors, metadata) => {
      tensors.delete("text.pooler");
      metadata.set("command", "<script>alert(1)</script>");
    });
    assert.equal((await verify(file, "--html", page)).status, 1);
    const html = await readFile(page, "utf8");
    assert.equal(html.match(/<svg /g)?.length, 2);
    assert.equal(html.match(/<circle /g)?.length, 88);
    assert.match(html, /<tr class="failed first"><td>text\.pooler<\/td><td>not in the golden<\/td>/);
    assert.match(html, /<td>golden<\/td><td>open_clip<\/td><td>3\.3\.0<\/td>/);
    assert.doesNotMatch(html, /<script|https?:|src=/);
    const nowhere = await verify(golden, "--html", folder.file("no", "report.html"));
    assert.equal(nowhere.status, 2);
    assert.match(nowhere.stderr, /^clipscope: .*report\.html: the folder does not exist; create it first\n$/);
    const itself = await verify(golden, "--html", golden);
    assert.equal(itself.status, 2);
    assert.match(itself.stderr, /^clipscope: .*: is an input, which would be overwritten.*\n$/);
  });

  describe("refuses, with status 2 and one line:", () => {
    const cases: [what: string, file: () => Promise<string>, message: RegExp][] = [
      ["no file", () => Promise.resolve("nowhere"), /^clipscope: nowhere: no such file or folder\n$/],
      [
        "a truncated file",
        async () => {
          const file = await edited(() => undefined);
          await truncate(file, 100_000);
          return file;
        },
        /^clipscope: .*cut short\?.*\n$/,
      ],
      [
        "weights",
        () => Promise.resolve(`${model}/open_clip_model.safetensors`),
        /^clipscope: .*not a golden: it has neither input\.image nor input\.text\n$/,
      ],
      [
        "inputs alone",
        () =>
          edited((tensors) => {
            for (const name of tensors.keys()) if (!name.startsWith("input.")) tensors.delete(name);
          }),
        /^clipscope: .*not a golden: it has inputs, but no taps\n$/,
      ],
      [
        "another model's golden",
        () => Promise.resolve(tinyGolden("quickgelu-linear")),
        /^clipscope: .*golden\.safetensors: made with images of 28 × 28, but the model takes 28 × 42; choose the model that the golden was made with\n$/,
      ],
      [
        "ids of another dtype",
        () => edited((tensors) => tensors.set("input.text", tensors.get("text.pooler")!)),
        /^clipscope: .*input\.text: expected I64 \[T, L\], found F32 \[3, 32\]\n$/,
      ],
      [
        "taps that are not floats",
        () => edited((tensors) => tensors.set("text.pooler", tensors.get("input.text")!)),
        /^clipscope: .*text\.pooler: expected F32, found I64.*\n$/,
      ],
    ];
    for (const [what, file, message] of cases) {
      it(what, async () => {
        const { status, stdout, stderr } = await verify(await file());
        assert.deepEqual([status, stdout], [2, ""]);
        assert.match(stderr, message);
      });
    }

    it("a missing --golden, and a tolerance that is not a number", async () => {
      const without = await clipscope(["verify"]);
      assert.match(without.stderr, /^clipscope: required option '--golden <file>' not specified\n$/);
      const { status, stderr } = await verify(golden, "--tolerance", "small");
      assert.equal(status, 2);
      assert.match(
        stderr,
        /'--tolerance <x>' argument 'small' is invalid. Expected a number, such as 1e-4\.\n$/,
      );
    });
  });
});

/** Lengthens the rows of a tensor and fills the new positions. */
function padded(
  { dtype, shape, bytes }: StoredTensor,
  positionBytes: number,
  length: number,
  fill: (view: DataView, at: number) => void,
): StoredTensor {
  const [rows = 0, before = 0, ...rest] = shape;
  const longer = new Uint8Array(rows * length * positionBytes);
  const view = new DataView(longer.buffer);
  for (let at = 0; at < longer.length; at += dtype === "I64" ? 8 : 4) fill(view, at);
  for (let row = 0; row < rows; row++) {
    const from = row * before * positionBytes;
    longer.set(bytes.subarray(from, from + before * positionBytes), row * length * positionBytes);
  }
  return { dtype, shape: [rows, length, ...rest], bytes: longer };
}
