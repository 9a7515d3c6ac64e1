/** Examples in Markdown: in ```console blocks, `$ clipscope …` and below it what that prints. */
import { clipscope } from "./cli.ts";

const block = /^```console\n(.*?)^```$/gms;

/** The same page with the output that the commands have now. */
export async function rerunExamples(markdown: string): Promise<string> {
  let page = "";
  let end = 0;
  for (const match of markdown.matchAll(block)) {
    page += `${markdown.slice(end, match.index)}\`\`\`console\n`;
    const commands = match[1]!.split("\n").filter((line) => line.startsWith("$ clipscope "));
    for (const command of commands) {
      const { stdout, stderr } = await clipscope(words(command).slice(2));
      page += `${command}\n${stdout}${stderr}`;
    }
    page += "```";
    end = match.index + match[0].length;
  }
  return page + markdown.slice(end);
}

/** A shell's words, as far as examples need them. */
function words(command: string): string[] {
  return Array.from(command.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, bare]) => quoted ?? bare!);
}
