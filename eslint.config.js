import js from "@eslint/js";
import tseslint from "typescript-eslint";
import { roomsPlugin } from "./rooms.js";

export default tseslint.config(
  { ignores: ["dist/", "studio-shots/", "fixtures/", "node_modules/", "tools/wasm/kernels/"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ["**/*.ts", "**/*.tsx"] })),
  {
    files: ["**/*.ts", "**/*.tsx"],
    plugins: { rooms: roomsPlugin },
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "rooms/order": "error",
      // The bounds of loops over typed arrays keep their indices valid; `?? 0` would only hide a mistake.
      "@typescript-eslint/no-non-null-assertion": "off",
      // Tensor code reads better with `${shape}` and numbers in messages.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowArray: true, allowBoolean: true },
      ],
    },
  },
  {
    files: ["**/*.js"],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
  },
  {
    files: ["web/public/*.js"],
    languageOptions: {
      globals: Object.fromEntries(
        [
          "addEventListener",
          "caches",
          "clients",
          "fetch",
          "location",
          "registration",
          "Request",
          "skipWaiting",
        ].map((name) => [name, "readonly"]),
      ),
    },
  },
);
