import assert from "node:assert/strict";
import { encodePeftConfig, peftNames, peftPartner, peftScale } from "../../lib/checkpoint/peft.ts";
import { JsonValue } from "../../lib/json/json-value.ts";

const block = "visual.transformer.resblocks.3";

describe("peft's layout", () => {
  it("names the adapters of modules", () => {
    assert.deepEqual(peftNames(`${block}.attn.in_proj_weight`), {
      a: `base_model.model.${block}.attn.lora_A.weight`,
      b: `base_model.model.${block}.attn.lora_B.weight`,
    });
    assert.equal(
      peftNames(`${block}.attn.out_proj.weight`).a,
      `base_model.model.${block}.attn.base_layer.out_proj.lora_A.weight`,
    );
    assert.equal(peftNames(`${block}.mlp.c_fc.weight`).a, `base_model.model.${block}.mlp.c_fc.lora_A.weight`);
    assert.equal(peftPartner(`${block}.attn.in_proj_weight`), `${block}.attn.out_proj.weight`);
    assert.equal(peftPartner(`${block}.attn.out_proj.weight`), `${block}.attn.in_proj_weight`);
    assert.equal(peftPartner(`${block}.mlp.c_fc.weight`), null);
  });

  it("lists each module once in the config, as a regular expression", () => {
    const weights = [
      `${block}.attn.in_proj_weight`,
      `${block}.attn.out_proj.weight`,
      `${block}.mlp.c_fc.weight`,
    ];
    const config = JSON.parse(encodePeftConfig("base", weights, { rank: 2, alpha: 4, dropout: 0 })) as {
      target_modules: string;
    };
    const pattern = new RegExp(`^(${config.target_modules})$`);
    assert.ok(pattern.test(`${block}.attn`) && pattern.test(`${block}.mlp.c_fc`));
    assert.ok(!pattern.test(`${block}.mlp`) && !pattern.test(block));
    assert.equal(config.target_modules.split("|").length, 2);
  });

  const scaleOf = (config: object): ReturnType<typeof peftScale> =>
    peftScale(JsonValue.of({ peft_type: "LORA", lora_alpha: 8, ...config }, "adapter_config.json"));

  it("scales by α/r, and as the version that has trained the adapter", () => {
    assert.equal(scaleOf({})(4, `${block}.attn.out_proj.weight`), 2);
    assert.equal(scaleOf({ use_rslora: true })(4, `${block}.mlp.c_fc.weight`), 4);
    const old = scaleOf({ peft_version: "0.21.0" });
    assert.deepEqual(
      [old(4, `${block}.attn.out_proj.weight`), old(4, `${block}.attn.in_proj_weight`)],
      [4, 2],
    );
    assert.equal(scaleOf({ peft_version: "1.0.0" })(4, `${block}.attn.out_proj.weight`), 2);
  });

  it("refuses other adapters", () => {
    assert.throws(() => scaleOf({ peft_type: "LOHA" }), /expected peft_type to be "LORA"/);
    assert.throws(() => scaleOf({ use_dora: true }), /use_dora.*not supported/);
    assert.throws(() => scaleOf({ rank_pattern: { c_fc: 4 } }), /rank_pattern.*not supported/);
  });
});
