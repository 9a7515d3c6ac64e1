/**
 * The single-byte encodings that ftfy 6.3.1 tries to undo, in its order: what the bytes 80–FF stand for.
 *
 * "Sloppy" ones give an unassigned byte the meaning that it has in Latin-1, and write U+FFFD as byte 1A (SUBSTITUTE),
 * as ftfy's `bad_codecs/sloppy.py` does; the others are Python's own codecs. Tables printed by Python 3.11.
 */
interface Codepage {
  readonly name: string;
  readonly sloppy: boolean;
  /** the 128 characters of bytes 80–FF */
  readonly upperHalf: string;
}

const latin1 = String.fromCharCode(...Array.from({ length: 128 }, (_, index) => 0x80 + index));

const codepages: readonly Codepage[] = [
  {
    name: "latin-1",
    sloppy: false,
    upperHalf: latin1,
  },
  {
    name: "windows-1252",
    sloppy: true,
    upperHalf:
      "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ" +
      "\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿" +
      "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß" +
      "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
  },
  {
    name: "windows-1251",
    sloppy: true,
    upperHalf:
      "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u0098™љ›њќћџ" +
      "\u00a0ЎўЈ¤Ґ¦§Ё©Є«¬\u00ad®Ї°±Ііґµ¶·ё№є»јЅѕї" +
      "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ" +
      "абвгдежзийклмнопрстуфхцчшщъыьэюя",
  },
  {
    name: "windows-1250",
    sloppy: true,
    upperHalf:
      "€\u0081‚\u0083„…†‡\u0088‰Š‹ŚŤŽŹ\u0090‘’“”•–—\u0098™š›śťžź" +
      "\u00a0ˇ˘Ł¤Ą¦§¨©Ş«¬\u00ad®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż" +
      "ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß" +
      "ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
  },
  {
    name: "windows-1253",
    sloppy: true,
    upperHalf:
      "€\u0081‚ƒ„…†‡\u0088‰\u008a‹\u008c\u008d\u008e\u008f\u0090‘’“”•–—\u0098™\u009a›\u009c\u009d\u009e\u009f" +
      "\u00a0΅Ά£¤¥¦§¨©ª«¬\u00ad®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏ" +
      "ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡÒΣΤΥΦΧΨΩΪΫάέήί" +
      "ΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώÿ",
  },
  {
    name: "windows-1254",
    sloppy: true,
    upperHalf:
      "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008d\u008e\u008f\u0090‘’“”•–—˜™š›œ\u009d\u009eŸ" +
      "\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿" +
      "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß" +
      "àáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ",
  },
  {
    name: "windows-1257",
    sloppy: true,
    upperHalf:
      "€\u0081‚\u0083„…†‡\u0088‰\u008a‹\u008c¨ˇ¸\u0090‘’“”•–—\u0098™\u009a›\u009c¯˛\u009f" +
      "\u00a0¡¢£¤¥¦§Ø©Ŗ«¬\u00ad®Æ°±²³´µ¶·ø¹ŗ»¼½¾æ" +
      "ĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽß" +
      "ąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙",
  },
  {
    name: "iso-8859-2",
    sloppy: false,
    // 80–9F are the C1 controls, as in Latin-1.
    upperHalf:
      latin1.slice(0, 32) +
      "\u00a0Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u00adŽŻ°ą˛ł´ľśˇ¸šşťź˝žż" +
      "ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß" +
      "ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
  },
  {
    name: "macroman",
    sloppy: false,
    upperHalf:
      "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü" +
      "†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø" +
      "¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ" +
      "‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ",
  },
  {
    name: "cp437",
    sloppy: false,
    upperHalf:
      "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ" +
      "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
      "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" +
      "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0",
  },
];

/** Byte 1A, by which a sloppy encoding writes the replacement character: "some byte, but nobody knows which". */
const SUBSTITUTE = 0x1a;

/** One single-byte encoding, in both directions. */
export class SingleByteEncoding {
  readonly name: string;
  readonly sloppy: boolean;
  readonly #bytes = new Map<number, number>();
  readonly #upperHalf: string;

  constructor({ name, sloppy, upperHalf }: Codepage) {
    this.name = name;
    this.sloppy = sloppy;
    this.#upperHalf = upperHalf;
    for (let byte = 0; byte < 0x80; byte++) this.#bytes.set(byte, byte);
    for (let index = 0; index < 128; index++) this.#bytes.set(upperHalf.charCodeAt(index), 0x80 + index);
    if (sloppy) {
      this.#bytes.delete(SUBSTITUTE);
      this.#bytes.set(0xfffd, SUBSTITUTE);
    }
  }

  /** The bytes of `text` as a string of characters 00–FF, or undefined where it holds something else. */
  encode(text: string): string | undefined {
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index++) {
      const byte = this.#bytes.get(text.charCodeAt(index));
      if (byte === undefined) return undefined;
      bytes[index] = byte;
    }
    return binaryString(bytes);
  }

  /** The character of a byte 80–FF. */
  decodeByte(byte: number): string {
    return this.#upperHalf.charAt(byte - 0x80);
  }
}

/** A string of characters 00–FF, on which regular expressions over bytes can run. */
function binaryString(bytes: Uint8Array): string {
  let text = "";
  // In pieces: every byte becomes an argument of the call.
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return text;
}

/** In the order in which ftfy tries them. */
export const singleByteEncodings: readonly SingleByteEncoding[] = codepages.map(
  (codepage) => new SingleByteEncoding(codepage),
);

/** Windows-1252, what a C1 control character most likely was. */
export const windows1252 = singleByteEncodings[1] as SingleByteEncoding;
