/**
 * Captions for scenes in seven languages: a grammar each, because "three small red stars" is three agreements in
 * Italian, a case in German and a counter in Japanese. `phrase` says given parts of a scene; `sampleCaption` chooses
 * the parts and a sentence round them.
 */
import type { Random } from "./random.ts";
import { BACKGROUNDS, COLOURS, COUNTS, PATTERNS, POSITIONS, SHAPES, SIZES } from "./scene.ts";
import type { Background, Colour, Count, Pattern, Position, Scene, Shape, Size } from "./scene.ts";

export const LANGUAGES = ["en", "it", "ja", "zh", "de", "es", "fr"] as const;
export type Language = (typeof LANGUAGES)[number];

/** What a caption says. Without a count it is a label ("red star"); without a shape it says "shape". */
export interface Parts {
  readonly shape?: Shape;
  readonly colour?: Colour;
  readonly count?: Count;
  readonly size?: Size;
  readonly position?: Position;
  readonly background?: Background;
  readonly pattern?: Pattern;
}

/** One language: how a phrase is built, and the sentences it may stand in, `{}` for the phrase. */
interface Grammar {
  /** The things: "three small red stars", as a label "small red star". */
  things(parts: Parts): string;
  /** "striped white background"; `located` where it follows "on". */
  background(background: Background, pattern: Pattern | undefined, located: boolean): string;
  /** Things, place and background put together; background is as `background` gave it. */
  join(things: string, position: Position | undefined, background: string | undefined): string;
  readonly labelSentences: readonly string[];
  readonly backgroundSentences: readonly string[];
  readonly sentences: readonly string[];
  readonly singularSentences: readonly string[];
  readonly pluralSentences: readonly string[];
}

/**
 * Where a word ends in a language written without spaces. Only the tokenizer's corpus keeps it, so that pieces become
 * words; it is taken out of what anyone reads.
 */
export const WORD_BREAK = "|";

/** The plain phrase for some parts of a scene: class names are made of it. */
export function phrase(language: Language, parts: Parts): string {
  return withoutBreaks(phraseInWords(language, parts));
}

function phraseInWords(language: Language, parts: Parts): string {
  const grammar = GRAMMARS[language];
  const { background, pattern, ...rest } = parts;
  if (background !== undefined && Object.keys(rest).length === 0) {
    return grammar.background(background, pattern, false);
  }
  const behind = background === undefined ? undefined : grammar.background(background, pattern, true);
  return grammar.join(grammar.things(parts), parts.position, behind);
}

/** A caption that says some of what the scene shows. */
export function sampleCaption(language: Language, scene: Scene, random: Random): string {
  const grammar = GRAMMARS[language];
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

/** The sentences that labels stand in: the zero-shot templates the training captions agree with. */
export function labelTemplates(language: Language): readonly string[] {
  return GRAMMARS[language].labelSentences.map(withoutBreaks);
}

/**
 * Phrases for training the tokenizer, with word breaks. A colour and a shape never stand together here: where words are not parted by
 * spaces a frequent pair would become one piece, and the pairs held out of training would be cut differently.
 */
export function tokenizerCorpus(language: Language): string[] {
  const subjects: Parts[] = [
    {},
    ...COLOURS.map((colour) => ({ colour })),
    ...SHAPES.map((shape) => ({ shape })),
  ];
  const numbers: Parts[] = [{}, ...COUNTS.map((count) => ({ count }))];
  const grounds: Parts[] = BACKGROUNDS.flatMap((background) => [
    { background },
    ...PATTERNS.map((pattern) => ({ background, pattern })),
  ]);
  const others: Parts[] = [
    ...SIZES.map((size) => ({ size })),
    ...POSITIONS.map((position) => ({ position })),
    ...POSITIONS.flatMap((position) => BACKGROUNDS.map((background) => ({ position, background }))),
  ];
  const all = subjects.flatMap((subject) =>
    numbers.flatMap((number) =>
      [{}, ...others, ...grounds].map((other) => ({ ...subject, ...number, ...other })),
    ),
  );
  const grammar = GRAMMARS[language];
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
  return text.replaceAll(WORD_BREAK, "");
}

function inSentence(language: Language, sentence: string, text: string): string {
  const whole = sentence.replace("{}", text);
  return language === "en" ? whole.replace(/\ba (?=[aeiou])/g, "an ") : whole;
}

function sampleParts(scene: Scene, random: Random): Parts {
  const { shape, colour, count, size, position, background, pattern } = scene;
  const kind = random.unit();
  if (kind < 0.15) return { colour, shape, ...(random.chance(0.15) ? { size } : {}) };
  // Captions without the colour teach shapes apart from colours: that is what carries over to unseen pairs.
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

/** A table from a list of keys and their words in the same order, parted by `|`. */
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

/** Nouns for the shapes in order, then the word for any shape: "f stella stelle|…". */
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
    // An underscore stands for the space inside a noun ("media_luna").
    return { gender, singular: singular.replace("_", " "), plural: plural.replace("_", " ") };
  });
  return (shape) => {
    const noun = list[shape === undefined ? SHAPES.length : SHAPES.indexOf(shape)];
    if (noun === undefined) throw new Error(`captions: no noun for ${shape ?? "any shape"}`);
    return noun;
  };
}

/** An adjective that agrees in gender and number: "rosso rossa rossi rosse", or one word where nothing changes. */
function agree(forms: string, noun: Noun, plural: boolean): string {
  const list = forms.split(" ");
  return list[(plural ? 2 : 0) + (noun.gender === "f" ? 1 : 0)] ?? list[0] ?? forms;
}

/** Words with a space between them; what is not said is left out. */
function say(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}

/** The same where words are written without spaces: with word breaks. */
function glue(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(WORD_BREAK);
}

function english(): Grammar {
  const noun = nouns(
    "n circle circles|n square squares|n triangle triangles|n star stars|n cross crosses|n heart hearts|" +
      "n ring rings|n crescent crescents|n shape shapes",
  );
  const colours = words(COLOURS, "red|orange|yellow|green|blue|purple|pink|brown");
  const places = words(POSITIONS, "on the left|on the right|at the top|at the bottom|in the centre");
  const sizes = words(SIZES, "small|large");
  const backgrounds = words(BACKGROUNDS, "white|black|grey|beige|light blue");
  const patterns = words(PATTERNS, "plain|striped|dotted|checked");
  return {
    things({ shape, colour, count, size }) {
      const { singular, plural } = noun(shape);
      const counted = count === undefined ? undefined : ["a", "two", "three", "four"][count - 1];
      const thing = say(
        counted,
        size && sizes[size],
        colour && colours[colour],
        count === undefined || count === 1 ? singular : plural,
      );
      return thing.replace(/^a (?=[aeiou])/, "an ");
    },
    background: (background, pattern, located) =>
      say(located ? "a" : undefined, pattern && patterns[pattern], backgrounds[background], "background"),
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
  const colours = words(
    COLOURS,
    "rosso rossa rossi rosse|arancione arancione arancioni arancioni|giallo gialla gialli gialle|" +
      "verde verde verdi verdi|blu|viola|rosa|marrone marrone marroni marroni",
  );
  const sizes = words(SIZES, "piccolo piccola piccoli piccole|grande grande grandi grandi");
  const places = words(POSITIONS, "a sinistra|a destra|in alto|in basso|al centro");
  const backgrounds = words(BACKGROUNDS, "bianco|nero|grigio|beige|azzurro");
  const patterns = words(PATTERNS, "a tinta unita|a righe|a pois|a quadretti");
  return {
    things({ shape, colour, count, size }) {
      const name = noun(shape);
      const plural = count !== undefined && count > 1;
      const one = name.gender === "f" ? "una" : "un";
      return say(
        count === undefined ? undefined : [one, "due", "tre", "quattro"][count - 1],
        size && agree(sizes[size], name, plural),
        plural ? name.plural : name.singular,
        colour && agree(colours[colour], name, plural),
      );
    },
    background: (background, pattern, located) =>
      say(located ? "uno" : undefined, "sfondo", backgrounds[background], pattern && patterns[pattern]),
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
  // Stems; "rosa" takes no endings.
  const colours = words(COLOURS, "rot|orangefarben|gelb|grün|blau|violett|rosa|braun");
  const sizes = words(SIZES, "klein|groß");
  const places = words(POSITIONS, "links|rechts|oben|unten|in der Mitte");
  const backgrounds = words(BACKGROUNDS, "weiß|schwarz|grau|beige|hellblau");
  const patterns = words(PATTERNS, "einfarbig|gestreift|gepunktet|kariert");
  const endings = { m: "er", f: "e", n: "es" } as const;
  /** Nominative, strong: what follows "ein" and what stands alone end alike. */
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
        size && decline(sizes[size], ending),
        colour && decline(colours[colour], ending),
        plural ? name.plural : name.singular,
      );
    },
    background(background, pattern, located) {
      const ending = located ? "em" : "er";
      return say(
        pattern && decline(patterns[pattern], ending),
        decline(backgrounds[background], ending),
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
  const colours = words(
    COLOURS,
    "rojo roja rojos rojas|naranja|amarillo amarilla amarillos amarillas|verde verde verdes verdes|" +
      "azul azul azules azules|morado morada morados moradas|rosa|marrón marrón marrones marrones",
  );
  const sizes = words(SIZES, "pequeño pequeña pequeños pequeñas|grande grande grandes grandes");
  const places = words(POSITIONS, "a la izquierda|a la derecha|arriba|abajo|en el centro");
  const backgrounds = words(BACKGROUNDS, "blanco|negro|gris|beige|celeste");
  const patterns = words(PATTERNS, "liso|de rayas|de lunares|de cuadros");
  return {
    things({ shape, colour, count, size }) {
      const name = noun(shape);
      const plural = count !== undefined && count > 1;
      const one = name.gender === "f" ? "una" : "un";
      return say(
        count === undefined ? undefined : [one, "dos", "tres", "cuatro"][count - 1],
        plural ? name.plural : name.singular,
        colour && agree(colours[colour], name, plural),
        size && agree(sizes[size], name, plural),
      );
    },
    background: (background, pattern, located) =>
      say(located ? "un" : undefined, "fondo", backgrounds[background], pattern && patterns[pattern]),
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
  const colours = words(
    COLOURS,
    "rouge rouge rouges rouges|orange|jaune jaune jaunes jaunes|vert verte verts vertes|" +
      "bleu bleue bleus bleues|violet violette violets violettes|rose rose roses roses|marron",
  );
  const sizes = words(SIZES, "petit petite petits petites|grand grande grands grandes");
  const places = words(POSITIONS, "à gauche|à droite|en haut|en bas|au centre");
  const backgrounds = words(BACKGROUNDS, "blanc|noir|gris|beige|bleu clair");
  const patterns = words(PATTERNS, "uni|à rayures|à pois|à carreaux");
  return {
    things({ shape, colour, count, size }) {
      const name = noun(shape);
      const plural = count !== undefined && count > 1;
      const one = name.gender === "f" ? "une" : "un";
      return say(
        count === undefined ? undefined : [one, "deux", "trois", "quatre"][count - 1],
        size && agree(sizes[size], name, plural),
        plural ? name.plural : name.singular,
        colour && agree(colours[colour], name, plural),
      );
    },
    background: (background, pattern, located) =>
      say(located ? "un" : undefined, "fond", backgrounds[background], pattern && patterns[pattern]),
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
  const shapes = words(SHAPES, "円|正方形|三角形|星|十字|ハート|輪|三日月");
  const colours = words(COLOURS, "赤い|オレンジ色の|黄色い|緑の|青い|紫の|ピンクの|茶色い");
  const sizes = words(SIZES, "小さな|大きな");
  const places = words(POSITIONS, "左|右|上|下|中央");
  const backgrounds = words(BACKGROUNDS, "白い|黒い|灰色の|ベージュの|水色の");
  const patterns = words(PATTERNS, "無地の|縞模様の|水玉模様の|市松模様の");
  return {
    things: ({ shape, colour, count, size }) =>
      glue(
        count === undefined ? "" : ["一つの", "二つの", "三つの", "四つの"][count - 1],
        size === undefined ? "" : sizes[size],
        colour === undefined ? "" : colours[colour],
        shape === undefined ? "図形" : shapes[shape],
      ),
    background: (background, pattern) =>
      glue(pattern === undefined ? "" : patterns[pattern], backgrounds[background], "背景"),
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
  const shapes = words(SHAPES, "圆形|正方形|三角形|星星|十字|心形|圆环|月牙");
  const colours = words(COLOURS, "红色|橙色|黄色|绿色|蓝色|紫色|粉色|棕色");
  const sizes = words(SIZES, "小|大");
  const places = words(POSITIONS, "左边|右边|上方|下方|中间");
  const backgrounds = words(BACKGROUNDS, "白色|黑色|灰色|米色|天蓝色");
  const patterns = words(PATTERNS, "纯色|条纹|圆点|方格");
  return {
    things({ shape, colour, count, size }) {
      // Labels are short: 红色星星; counted things take 的: 三个红色的小星星.
      const joint = colour !== undefined && count !== undefined ? "的" : "";
      return glue(
        count === undefined ? "" : ["一个", "两个", "三个", "四个"][count - 1],
        colour === undefined ? "" : colours[colour],
        joint,
        size === undefined ? "" : sizes[size],
        shape === undefined ? "图形" : shapes[shape],
      );
    },
    background: (background, pattern) =>
      glue(backgrounds[background], pattern === undefined ? "" : patterns[pattern], "背景"),
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

const GRAMMARS: Readonly<Record<Language, Grammar>> = {
  en: english(),
  it: italian(),
  ja: japanese(),
  zh: chinese(),
  de: german(),
  es: spanish(),
  fr: french(),
};
