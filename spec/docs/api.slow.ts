import assert from "node:assert/strict";
import { Application, ReflectionKind, type DeclarationReflection } from "typedoc";
import { packageRoot } from "../support/paths.ts";

describe("the API reference", () => {
  it("documents every exported symbol and every module", async function () {
    this.timeout(120_000); // type-checks the library
    const app = await Application.bootstrapWithPlugins({
      options: `${packageRoot}typedoc.json`,
      logLevel: "None",
    });
    const project = await app.convert();
    assert.ok(project, "typedoc could not convert the library");
    const modules = project.children ?? [];
    assert.ok(modules.length > 1);
    const undocumented = modules.flatMap((module) => [
      ...(module.hasComment() ? [] : [module.name]),
      ...(module.children ?? [])
        .filter((child) => !isDocumented(child))
        .map((child) => `${module.name}: ${child.name}`),
    ]);
    assert.deepEqual(undocumented, []);
  });
});

/** Functions carry their comment on the signature; re-exports are documented where they are declared. */
function isDocumented(symbol: DeclarationReflection): boolean {
  if (symbol.kindOf(ReflectionKind.Reference)) return true;
  return symbol.hasComment() || (symbol.signatures ?? []).some((signature) => signature.hasComment());
}
