import assert from "node:assert/strict";
import {
  languages,
  labelTemplates,
  phrase,
  sampleCaption,
  tokenizerCorpus,
} from "../../../tools/demo-model/captions.ts";
import type { Language, Parts } from "../../../tools/demo-model/captions.ts";
import { sceneOf } from "../../../tools/demo-model/dataset.ts";
import { Random } from "../../../tools/demo-model/random.ts";
import { demoTasks, classNames } from "../../../tools/demo-model/tasks.ts";

/** Written by hand, in the order of languages. */
const expectedPhrases: readonly (readonly [Parts, Readonly<Record<Language, string>>])[] = [
  [
    { colour: "red", shape: "star" },
    {
      en: "red star",
      it: "stella rossa",
      ja: "赤い星",
      zh: "红色星星",
      de: "roter Stern",
      es: "estrella roja",
      fr: "étoile rouge",
    },
  ],
  [
    { colour: "green", shape: "cross", count: 1 },
    {
      en: "a green cross",
      it: "una croce verde",
      ja: "一つの緑の十字",
      zh: "一个绿色的十字",
      de: "ein grünes Kreuz",
      es: "una cruz verde",
      fr: "une croix verte",
    },
  ],
  [
    { colour: "orange", shape: "heart", count: 1 },
    {
      en: "an orange heart",
      it: "un cuore arancione",
      ja: "一つのオレンジ色のハート",
      zh: "一个橙色的心形",
      de: "ein orangefarbenes Herz",
      es: "un corazón naranja",
      fr: "un cœur orange",
    },
  ],
  [
    { colour: "yellow", shape: "crescent", count: 3, size: "small" },
    {
      en: "three small yellow crescents",
      it: "tre piccole mezzelune gialle",
      ja: "三つの小さな黄色い三日月",
      zh: "三个黄色的小月牙",
      de: "drei kleine gelbe Halbmonde",
      es: "tres medias lunas amarillas pequeñas",
      fr: "trois petits croissants jaunes",
    },
  ],
  [
    { colour: "purple", shape: "ring", count: 2, background: "black", pattern: "striped" },
    {
      en: "two purple rings on a striped black background",
      it: "due anelli viola su uno sfondo nero a righe",
      ja: "縞模様の黒い背景に二つの紫の輪",
      zh: "黑色条纹背景上有两个紫色的圆环",
      de: "zwei violette Ringe auf gestreiftem schwarzem Hintergrund",
      es: "dos anillos morados sobre un fondo negro de rayas",
      fr: "deux anneaux violets sur un fond noir à rayures",
    },
  ],
  [
    { colour: "pink", shape: "circle", count: 1, size: "large", position: "left", background: "sky" },
    {
      en: "a large pink circle on the left on a light blue background",
      it: "un grande cerchio rosa a sinistra su uno sfondo azzurro",
      ja: "水色の背景の左に一つの大きなピンクの円",
      zh: "天蓝色背景的左边有一个粉色的大圆形",
      de: "ein großer rosa Kreis links auf hellblauem Hintergrund",
      es: "un círculo rosa grande a la izquierda sobre un fondo celeste",
      fr: "un grand cercle rose à gauche sur un fond bleu clair",
    },
  ],
  [
    { count: 1, position: "bottom" },
    {
      en: "a shape at the bottom",
      it: "una forma in basso",
      ja: "下に一つの図形",
      zh: "下方有一个图形",
      de: "eine Form unten",
      es: "una forma abajo",
      fr: "une forme en bas",
    },
  ],
  [
    { background: "beige", pattern: "dotted" },
    {
      en: "dotted beige background",
      it: "sfondo beige a pois",
      ja: "水玉模様のベージュの背景",
      zh: "米色圆点背景",
      de: "gepunkteter beiger Hintergrund",
      es: "fondo beige de lunares",
      fr: "fond beige à pois",
    },
  ],
  [
    { colour: "blue", shape: "square", count: 4 },
    {
      en: "four blue squares",
      it: "quattro quadrati blu",
      ja: "四つの青い正方形",
      zh: "四个蓝色的正方形",
      de: "vier blaue Quadrate",
      es: "cuatro cuadrados azules",
      fr: "quatre carrés bleus",
    },
  ],
  [
    { colour: "brown", shape: "triangle", count: 2, position: "centre" },
    {
      en: "two brown triangles in the centre",
      it: "due triangoli marroni al centro",
      ja: "中央に二つの茶色い三角形",
      zh: "中间有两个棕色的三角形",
      de: "zwei braune Dreiecke in der Mitte",
      es: "dos triángulos marrones en el centro",
      fr: "deux triangles marron au centre",
    },
  ],
];

describe("the demo model's phrases", () => {
  for (const [parts, expected] of expectedPhrases) {
    it(`"${expected.en}" in seven languages`, () => {
      for (const language of languages) assert.equal(phrase(language, parts), expected[language]);
    });
  }

  it("name each class of a task differently", () => {
    for (const language of languages) {
      for (const task of demoTasks) {
        const names = classNames(task, language);
        assert.equal(new Set(names).size, task.classes.length, `${language}, ${task.name}`);
      }
    }
  });
});

describe("the demo model's captions", () => {
  it("describe only what the scene shows", () => {
    const scene = { ...sceneOf(1, 0, "train"), colour: "red", shape: "star", count: 3 } as const;
    const random = new Random(5);
    for (let draw = 0; draw < 300; draw++) {
      const caption = sampleCaption("en", scene, random);
      assert.doesNotMatch(
        caption,
        /orange|yellow|green|purple|pink|brown|circle|square|triangle|cross|heart/,
      );
      assert.doesNotMatch(caption, /\btwo\b|\bfour\b|left|right|bottom|centre/);
    }
  });

  it("use the article that the next word requires", () => {
    const scene = { ...sceneOf(1, 0, "train"), colour: "orange", count: 1 } as const;
    const random = new Random(6);
    for (let draw = 0; draw < 300; draw++) {
      assert.doesNotMatch(sampleCaption("en", scene, random), /\ba [aeiou]|\ban [^aeiou]/);
    }
  });

  it("insert labels into sentences", () => {
    assert.deepEqual(labelTemplates("en"), ["{}", "a picture of a {}", "a photo of a {}"]);
    assert.deepEqual(labelTemplates("ja"), ["{}", "{}の写真", "{}の絵"]);
  });
});

describe("the demo model's tokenizer corpus", () => {
  it("never combines a colour and a shape", () => {
    for (const sentence of tokenizerCorpus("en")) {
      assert.doesNotMatch(
        sentence,
        /(red|orange|yellow|green|\bblue|purple|pink|brown) (circle|square|star|ring)/,
      );
    }
  });

  it("marks word ends in languages written without spaces only", () => {
    assert.ok(tokenizerCorpus("ja").some((sentence) => sentence.startsWith("赤い|図形")));
    for (const language of ["en", "it", "de", "es", "fr"] as const) {
      assert.ok(tokenizerCorpus(language).every((sentence) => !sentence.includes("|")));
    }
  });
});
