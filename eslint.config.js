import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "fixtures/", "node_modules/"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ["**/*.ts"] })),
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Loops over typed arrays index where they have just been bounded; `?? 0` would only hide a mistake there.
      "@typescript-eslint/no-non-null-assertion": "off",
      // Tensor code reads better with `${shape}` and numbers in messages.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowArray: true, allowBoolean: true },
      ],
    },
  },
  {
    // The rooms of the house: arrows go down only, and the network runs in a browser too.
    files: ["lib/tensor/**", "lib/nn/**", "lib/clip/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["node:*", "**/node/**", "**/tasks/**", "**/cli/**", "**/tools/**"] },
      ],
    },
  },
  {
    files: ["lib/checkpoint/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["**/nn/**", "**/clip/**", "**/node/**", "**/tasks/**", "**/cli/**", "**/tools/**"] },
      ],
    },
  },
  {
    files: ["lib/nn/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["node:*", "**/clip/**", "**/node/**", "**/tasks/**", "**/cli/**", "**/tools/**"] },
      ],
    },
  },
  {
    files: ["lib/node/**", "lib/tasks/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["**/cli/**", "**/tools/**"] }] },
  },
  {
    files: ["lib/tensor/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["node:*", "**/nn/**", "**/clip/**", "**/node/**", "**/tasks/**"] },
      ],
    },
  },
  {
    files: ["**/*.js"],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
  },
);
