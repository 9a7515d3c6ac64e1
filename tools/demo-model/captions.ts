/**
 * Captions for scenes in seven languages. Each language has a grammar, because "three small red stars" needs agreement
 * in Italian, a case in German and a counter in Japanese. `phrase` describes given parts of a scene; `sampleCaption`
 * chooses the parts and a sentence around them.
 */
import type { Random } from "./random.ts";
import { backgrounds, colours, counts, patterns, positions, shapes, sizes } from "./scene.ts";
import type { Background, Colour, Count, Pattern, Position, Scene, Shape, Size } from "./scene.ts";

export const languages = ["en", "it", "ja", "zh", "de", "es", "fr"] as const;
export type Language = (typeof languages)[number];

/** The content of a caption. Without a count it is a label ("red star"); without a shape it says "shape". */
export interface Parts {
  readonly shape?: Shape;
  readonly colour?: Colour;
  readonly count?: Count;
  readonly size?: Size;
  readonly position?: Position;
  readonly background?: Background;
  readonly pattern?: Pattern;
}

/** The grammar of a language: how a phrase is built, and sentences with `{}` in place of the phrase. */
interface Grammar {
  /** The noun phrase: "three small red stars", or "small red star" as a label. */
  things(parts: Parts): string;
  /** "striped white background"; `located` if it follows "on". */
  background(background: Background, pattern: Pattern | undefined, located: boolean): string;
  /** Joins the noun phrase, the position and the result of `background`. */
  join(things: string, position: Position | undefined, background: string | undefined): string;
  readonly labelSentences: readonly string[];
  readonly backgroundSentences: readonly string[];
  readonly sentences: readonly string[];
  readonly singularSentences: readonly string[];
  readonly pluralSentences: readonly string[];
}

/**
 * Marks the end of a word in languages written without spaces. Only the tokenizer's corpus keeps the marks, so that
 * pieces become words; captions and class names are returned without them.
 */
export const wordBreak = "|";

/** The plain phrase for some parts of a scene, used for class names. */
export function phrase(language: Language, parts: Parts): string {
  return withoutBreaks(phraseInWords(language, parts));
}

function phraseInWords(language: Language, parts: Parts): string {
  const grammar = grammars[language];
  const { background, pattern, ...rest } = parts;
  if (background !== undefined && Object.keys(rest).length === 0) {
    return grammar.background(background, pattern, false);
  }
  const behind = background === undefined ? undefined : grammar.background(background, pattern, true);
  return grammar.join(grammar.things(parts), parts.position, behind);
}

/** A random caption that describes a part of the scene. */
export function sampleCaption(language: Language, scene: Scene, random: Random): string {
  const grammar = grammars[language];
  const parts = sampleParts(scene, random);
  let sentences: readonly string[];
  if (parts.count !== undefined) {
    const byNumber = parts.count === 1 ? grammar.singularSentences : grammar.pluralSentences;
    sentences = [...grammar.sentences, ...byNumber];
  } else {
    sentences = parts.background === undefined ? grammar.labelSentences : grammar.backgroundSentences;
  }
  return withoutBreaks(inSentence(language, random.pick(sentences), phraseInWords(language, parts)));
}

/** The sentences around labels in the training captions, for use as zero-shot templates. */
export function labelTemplates(language: Language): readonly string[] {
  return grammars[language].labelSentences.map(withoutBreaks);
}

/**
 * Phrases for training the tokenizer, with word breaks. They never combine a colour and a shape: in languages without
 * spaces a frequent pair would become one piece, and held-out pairs would be split differently.
 */
export function tokenizerCorpus(language: Language): string[] {
  const subjects: Parts[] = [
    {},
    ...colours.map((colour) => ({ colour })),
    ...shapes.map((shape) => ({ shape })),
  ];
  const numbers: Parts[] = [{}, ...counts.map((count) => ({ count }))];
  const grounds: Parts[] = backgrounds.flatMap((background) => [
    { background },
    ...patterns.map((pattern) => ({ background, pattern })),
  ]);
  const others: Parts[] = [
    ...sizes.map((size) => ({ size })),
    ...positions.map((position) => ({ position })),
    ...positions.flatMap((position) => backgrounds.map((background) => ({ position, background }))),
  ];
  const all = subjects.flatMap((subject) =>
    numbers.flatMap((number) =>
      [{}, ...others, ...grounds].map((other) => ({ ...subject, ...number, ...other })),
    ),
  );
  const grammar = grammars[language];
  const sentences = [
    ...new Set([
      ...grammar.labelSentences,
      ...grammar.backgroundSentences,
      ...grammar.sentences,
      ...grammar.singularSentences,
      ...grammar.pluralSentences,
    ]),
  ];
  return all.map((parts, index) =>
    inSentence(language, sentences[index % sentences.length] ?? "{}", phraseInWords(language, parts)),
  );
}

function withoutBreaks(text: string): string {
  return text.replaceAll(wordBreak, "");
}

function inSentence(language: Language, sentence: string, text: string): string {
  const whole = sentence.replace("{}", text);
  return language === "en" ? whole.replace(/\ba (?=[aeiou])/g, "an ") : whole;
}

function sampleParts(scene: Scene, random: Random): Parts {
  const { shape, colour, count, size, position, background, pattern } = scene;
  const kind = random.unit();
  if (kind < 0.15) return { colour, shape, ...(random.chance(0.15) ? { size } : {}) };
  // Captions without a colour teach shapes independently of colours, which generalises to unseen pairs.
  if (kind < 0.25) return { shape, ...(random.chance(0.5) ? { count } : {}) };
  if (kind < 0.29) return { colour, ...(random.chance(0.5) ? { count } : {}) };
  if (kind < 0.34) return { background, ...(random.chance(0.7) ? { pattern } : {}) };
  return {
    count,
    ...(random.chance(0.6) ? { colour } : {}),
    ...(random.chance(0.92) ? { shape } : {}),
    ...(random.chance(0.3) ? { size } : {}),
    ...(count === 1 && random.chance(0.6) ? { position } : {}),
    ...(random.chance(0.4) ? { background, ...(random.chance(0.5) ? { pattern } : {}) } : {}),
  };
}

type Words<Key extends string> = Readonly<Record<Key, string>>;

/** A table of keys and their words, which `row` lists in the same order, separated by `|`. */
function words<Key extends string>(keys: readonly Key[], row: string): Words<Key> {
  const found = row.split("|");
  if (found.length !== keys.length) {
    throw new Error(`captions: "${row}" has ${found.length} words, expected ${keys.length}`);
  }
  return Object.fromEntries(keys.map((key, index) => [key, found[index]])) as Words<Key>;
}

/** A noun's gender and forms. */
interface Noun {
  readonly gender: "m" | "f" | "n";
  readonly singular: string;
  readonly plural: string;
}

/** Nouns for the shapes in order, followed by the word for "shape": "f stella stelle|…". */
function nouns(row: string): (shape: Shape | undefined) => Noun {
  const list = row.split("|").map((entry): Noun => {
    const [gender, singular, plural] = entry.split(" ");
    if (
      (gender !== "m" && gender !== "f" && gender !== "n") ||
      singular === undefined ||
      plural === undefined
    ) {
      throw new Error(`captions: "${entry}" is not "gender singular plural"`);
    }
    // An underscore is a space inside a noun ("media_luna").
    return { gender, singular: singular.replace("_", " "), plural: plural.replace("_", " ") };
  });
  return (shape) => {
    const noun = list[shape === undefined ? shapes.length : shapes.indexOf(shape)];
    if (noun === undefined) throw new Error(`captions: no noun for ${shape ?? "any shape"}`);
    return noun;
  };
}

/** The form of an adjective for a noun: from "rosso rossa rossi rosse", or from one invariable word. */
function agree(forms: string, noun: Noun, plural: boolean): string {
  const list = forms.split(" ");
  return list[(plural ? 2 : 0) + (noun.gender === "f" ? 1 : 0)] ?? list[0] ?? forms;
}

/** Joins words with spaces and skips missing ones. */
function say(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}

/** Joins words of a language written without spaces with word breaks. */
function glue(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(wordBreak);
}

function english(): Grammar {
  const noun = nouns(
    "n circle circles|n square squares|n triangle triangles|n star stars|n cross crosses|n heart hearts|" +
      "n ring rings|n crescent crescents|n shape shapes",
  );
  const colourWords = words(colours, "red|orange|yellow|green|blue|purple|pink|brown");
  const places = words(positions, "on the left|on the right|at the top|at the bottom|in the centre");
  const sizeWords = words(sizes, "small|large");
  const backgroundWords = words(backgrounds, "white|black|grey|beige|light blue");
  const patternWords = words(patterns, "plain|striped|dotted|checked");
  return {
    things({ shape, colour, count, size }) {
      const { singular, plural } = noun(shape);
      const counted = count === undefined ? undefined : ["a", "two", "three", "four"][count - 1];
      const thing = say(
        counted,
        size && sizeWords[size],
        colour && colourWords[colour],
        count === undefined || count === 1 ? singular : plural,
      );
      return thing.replace(/^a (?=[aeiou])/, "an ");
    },
    background: (background, pattern, located) =>
      say(
        located ? "a" : undefined,
        pattern && patternWords[pattern],
        backgroundWords[background],
        "background",
      ),
    join: (things, position, background) =>
      say(things, position && places[position], background && `on ${background}`),
    labelSentences: ["{}", "a picture of a {}", "a photo of a {}"],
    backgroundSentences: ["{}", "a {}", "a picture with a {}"],
    sentences: ["{}", "{}", "a picture of {}", "a photo of {}", "a picture with {}"],
    singularSentences: ["there is {}"],
    pluralSentences: ["there are {}"],
  };
}

function italian(): Grammar {
  const noun = nouns(
    "m cerchio cerchi|m quadrato quadrati|m triangolo triangoli|f stella stelle|f croce croci|m cuore cuori|" +
      "m anello anelli|f mezzaluna mezzelune|f forma forme",
  );
  const colourWords = words(
    colours,
    "rosso rossa rossi rosse|arancione arancione arancioni arancioni|giallo gialla gialli gialle|" +
      "verde verde verdi verdi|blu|viola|rosa|marrone marrone marroni marroni",
  );
  const sizeWords = words(sizes, "piccolo piccola piccoli piccole|grande grande grandi grandi");
  const places = words(positions, "a sinistra|a destra|in alto|in basso|al centro");
  const backgroundWords = words(backgrounds, "bianco|nero|grigio|beige|azzurro");
  const patternWords = words(patterns, "a tinta unita|a righe|a pois|a quadretti");
  return {
    things({ shape, colour, count, size }) {
      const name = noun(shape);
      const plural = count !== undefined && count > 1;
      const one = name.gender === "f" ? "una" : "un";
      return say(
        count === undefined ? undefined : [one, "due", "tre", "quattro"][count - 1],
        size && agree(sizeWords[size], name, plural),
        plural ? name.plural : name.singular,
        colour && agree(colourWords[colour], name, plural),
      );
    },
    background: (background, pattern, located) =>
      say(
        located ? "uno" : undefined,
        "sfondo",
        backgroundWords[background],
        pattern && patternWords[pattern],
      ),
    join: (things, position, background) =>
      say(things, position && places[position], background && `su ${background}`),
    labelSentences: ["{}", "immagine: {}", "una foto con {}"],
    backgroundSentences: ["{}", "uno {}", "un'immagine con uno {}"],
    sentences: ["{}", "{}", "un'immagine con {}", "una foto di {}", "immagine: {}"],
    singularSentences: ["c'è {}"],
    pluralSentences: ["ci sono {}"],
  };
}

function german(): Grammar {
  const noun = nouns(
    "m Kreis Kreise|n Quadrat Quadrate|n Dreieck Dreiecke|m Stern Sterne|n Kreuz Kreuze|n Herz Herzen|" +
      "m Ring Ringe|m Halbmond Halbmonde|f Form Formen",
  );
  // Stems; "rosa" has no endings.
  const colourWords = words(colours, "rot|orangefarben|gelb|grün|blau|violett|rosa|braun");
  const sizeWords = words(sizes, "klein|groß");
  const places = words(positions, "links|rechts|oben|unten|in der Mitte");
  const backgroundWords = words(backgrounds, "weiß|schwarz|grau|beige|hellblau");
  const patternWords = words(patterns, "einfarbig|gestreift|gepunktet|kariert");
  const endings = { m: "er", f: "e", n: "es" } as const;
  /** Strong nominative, which has the same endings after "ein" as without an article. */
  const decline = (stem: string, ending: string): string => {
    if (stem === "rosa") return stem;
    return stem.endsWith("e") ? stem + ending.slice(1) : stem + ending;
  };
  return {
    things({ shape, colour, count, size }) {
      const name = noun(shape);
      const plural = count !== undefined && count > 1;
      const ending = plural ? "e" : endings[name.gender];
      const one = name.gender === "f" ? "eine" : "ein";
      return say(
        count === undefined ? undefined : [one, "zwei", "drei", "vier"][count - 1],
        size && decline(sizeWords[size], ending),
        colour && decline(colourWords[colour], ending),
        plural ? name.plural : name.singular,
      );
    },
    background(background, pattern, located) {
      const ending = located ? "em" : "er";
      return say(
        pattern && decline(patternWords[pattern], ending),
        decline(backgroundWords[background], ending),
        "Hintergrund",
      );
    },
    join: (things, position, background) =>
      say(things, position && places[position], background && `auf ${background}`),
    labelSentences: ["{}", "Bild: {}", "Foto: {}"],
    backgroundSentences: ["{}", "ein {}", "Bild: {}"],
    sentences: ["{}", "{}", "Bild: {}", "Foto: {}"],
    singularSentences: ["hier ist {}", "da ist {}"],
    pluralSentences: ["hier sind {}", "da sind {}"],
  };
}

function spanish(): Grammar {
  const noun = nouns(
    "m círculo círculos|m cuadrado cuadrados|m triángulo triángulos|f estrella estrellas|f cruz cruces|" +
      "m corazón corazones|m anillo anillos|f media_luna medias_lunas|f forma formas",
  );
  const colourWords = words(
    colours,
    "rojo roja rojos rojas|naranja|amarillo amarilla amarillos amarillas|verde verde verdes verdes|" +
      "azul azul azules azules|morado morada morados moradas|rosa|marrón marrón marrones marrones",
  );
  const sizeWords = words(sizes, "pequeño pequeña pequeños pequeñas|grande grande grandes grandes");
  const places = words(positions, "a la izquierda|a la derecha|arriba|abajo|en el centro");
  const backgroundWords = words(backgrounds, "blanco|negro|gris|beige|celeste");
  const patternWords = words(patterns, "liso|de rayas|de lunares|de cuadros");
  return {
    things({ shape, colour, count, size }) {
      const name = noun(shape);
      const plural = count !== undefined && count > 1;
      const one = name.gender === "f" ? "una" : "un";
      return say(
        count === undefined ? undefined : [one, "dos", "tres", "cuatro"][count - 1],
        plural ? name.plural : name.singular,
        colour && agree(colourWords[colour], name, plural),
        size && agree(sizeWords[size], name, plural),
      );
    },
    background: (background, pattern, located) =>
      say(located ? "un" : undefined, "fondo", backgroundWords[background], pattern && patternWords[pattern]),
    join: (things, position, background) =>
      say(things, position && places[position], background && `sobre ${background}`),
    labelSentences: ["{}", "imagen: {}", "una foto con {}"],
    backgroundSentences: ["{}", "un {}", "una imagen con un {}"],
    sentences: ["{}", "{}", "una imagen con {}", "una foto de {}", "imagen: {}"],
    singularSentences: ["hay {}"],
    pluralSentences: ["hay {}"],
  };
}

function french(): Grammar {
  const noun = nouns(
    "m cercle cercles|m carré carrés|m triangle triangles|f étoile étoiles|f croix croix|m cœur cœurs|" +
      "m anneau anneaux|m croissant croissants|f forme formes",
  );
  const colourWords = words(
    colours,
    "rouge rouge rouges rouges|orange|jaune jaune jaunes jaunes|vert verte verts vertes|" +
      "bleu bleue bleus bleues|violet violette violets violettes|rose rose roses roses|marron",
  );
  const sizeWords = words(sizes, "petit petite petits petites|grand grande grands grandes");
  const places = words(positions, "à gauche|à droite|en haut|en bas|au centre");
  const backgroundWords = words(backgrounds, "blanc|noir|gris|beige|bleu clair");
  const patternWords = words(patterns, "uni|à rayures|à pois|à carreaux");
  return {
    things({ shape, colour, count, size }) {
      const name = noun(shape);
      const plural = count !== undefined && count > 1;
      const one = name.gender === "f" ? "une" : "un";
      return say(
        count === undefined ? undefined : [one, "deux", "trois", "quatre"][count - 1],
        size && agree(sizeWords[size], name, plural),
        plural ? name.plural : name.singular,
        colour && agree(colourWords[colour], name, plural),
      );
    },
    background: (background, pattern, located) =>
      say(located ? "un" : undefined, "fond", backgroundWords[background], pattern && patternWords[pattern]),
    join: (things, position, background) =>
      say(things, position && places[position], background && `sur ${background}`),
    labelSentences: ["{}", "image : {}", "une photo avec {}"],
    backgroundSentences: ["{}", "un {}", "une image avec un {}"],
    sentences: ["{}", "{}", "une image avec {}", "une photo avec {}", "image : {}"],
    singularSentences: ["il y a {}"],
    pluralSentences: ["il y a {}"],
  };
}

function japanese(): Grammar {
  const shapeWords = words(shapes, "円|正方形|三角形|星|十字|ハート|輪|三日月");
  const colourWords = words(colours, "赤い|オレンジ色の|黄色い|緑の|青い|紫の|ピンクの|茶色い");
  const sizeWords = words(sizes, "小さな|大きな");
  const places = words(positions, "左|右|上|下|中央");
  const backgroundWords = words(backgrounds, "白い|黒い|灰色の|ベージュの|水色の");
  const patternWords = words(patterns, "無地の|縞模様の|水玉模様の|市松模様の");
  return {
    things: ({ shape, colour, count, size }) =>
      glue(
        count === undefined ? "" : ["一つの", "二つの", "三つの", "四つの"][count - 1],
        size === undefined ? "" : sizeWords[size],
        colour === undefined ? "" : colourWords[colour],
        shape === undefined ? "図形" : shapeWords[shape],
      ),
    background: (background, pattern) =>
      glue(pattern === undefined ? "" : patternWords[pattern], backgroundWords[background], "背景"),
    // 白い背景に…, 左に…, 白い背景の左に…
    join: (things, position, background) =>
      glue(
        background ?? "",
        background !== undefined && position !== undefined ? "の" : "",
        position === undefined ? "" : places[position],
        background !== undefined || position !== undefined ? "に" : "",
        things,
      ),
    labelSentences: ["{}", "{}|の|写真", "{}|の|絵"],
    backgroundSentences: ["{}", "{}|の|写真", "{}|の|絵"],
    sentences: ["{}", "{}", "{}|が|ある", "{}|が|あります", "{}|が|写っている|写真"],
    singularSentences: [],
    pluralSentences: [],
  };
}

function chinese(): Grammar {
  const shapeWords = words(shapes, "圆形|正方形|三角形|星星|十字|心形|圆环|月牙");
  const colourWords = words(colours, "红色|橙色|黄色|绿色|蓝色|紫色|粉色|棕色");
  const sizeWords = words(sizes, "小|大");
  const places = words(positions, "左边|右边|上方|下方|中间");
  const backgroundWords = words(backgrounds, "白色|黑色|灰色|米色|天蓝色");
  const patternWords = words(patterns, "纯色|条纹|圆点|方格");
  return {
    things({ shape, colour, count, size }) {
      // Labels are short: 红色星星; counted things take 的: 三个红色的小星星.
      const joint = colour !== undefined && count !== undefined ? "的" : "";
      return glue(
        count === undefined ? "" : ["一个", "两个", "三个", "四个"][count - 1],
        colour === undefined ? "" : colourWords[colour],
        joint,
        size === undefined ? "" : sizeWords[size],
        shape === undefined ? "图形" : shapeWords[shape],
      );
    },
    background: (background, pattern) =>
      glue(backgroundWords[background], pattern === undefined ? "" : patternWords[pattern], "背景"),
    // 白色背景上有…, 左边有…, 白色背景的左边有…
    join(things, position, background) {
      if (background === undefined && position === undefined) return things;
      const place = position === undefined ? "上" : places[position];
      const joint = background === undefined || position === undefined ? "" : "的";
      return glue(background ?? "", joint, place, "有", things);
    },
    labelSentences: ["{}", "{}|的|图片", "一张|{}|的|照片"],
    backgroundSentences: ["{}", "{}|的|图片", "一张|{}|的|照片"],
    sentences: ["{}", "{}", "{}|的|图片", "一张|{}|的|照片", "图片|:|{}"],
    singularSentences: [],
    pluralSentences: [],
  };
}

const grammars: Readonly<Record<Language, Grammar>> = {
  en: english(),
  it: italian(),
  ja: japanese(),
  zh: chinese(),
  de: german(),
  es: spanish(),
  fr: french(),
};
