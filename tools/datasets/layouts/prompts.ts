/** CLIP_benchmark's files of class names and templates, one pair for each language. */
import { languages } from "../../demo-model/captions.ts";
import { allClassNames, allTemplates, classNameCodes, classPrompts } from "../classes.ts";
import { json, type GeneratedDataset, type GeneratedFile } from "../generated-dataset.ts";

export const prompts: GeneratedDataset = {
  name: "prompts",
  folder: "prompts",
  layout: "class names and templates in seven languages",
  // eslint-disable-next-line @typescript-eslint/require-await -- the others wait for encoders
  async *files(): AsyncGenerator<GeneratedFile, void, undefined> {
    for (const language of languages) {
      const code = classNameCodes[language];
      yield { path: `${code}_classnames.json`, content: json(allClassNames(language)) };
      yield {
        path: `${code}_zeroshot_classification_templates.json`,
        content: json(allTemplates(language)),
      };
    }
    yield { path: "cupl_prompts.json", content: json(classPrompts()) };
  },
};
