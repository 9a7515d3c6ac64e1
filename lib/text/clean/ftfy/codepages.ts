/**
 * The single-byte encodings that ftfy tries to undo, in its order.
 *
 * A "sloppy" encoding decodes unassigned bytes as Latin-1 and encodes U+FFFD as byte 1A (substitute). The others are
 * Python's own codecs. Python 3.11 printed the tables.
 *
 * Source: ftfy 6.3.1, chardata.py, CHARMAP_ENCODINGS; bad_codecs/sloppy.py
 */
interface Codepage {
  readonly name: string;
  readonly sloppy: boolean;
  /** The 128 characters of bytes 80–FF. */
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

/** The byte of the replacement character in a sloppy encoding. */
const substitute = 0x1a;

/** Converts between bytes and text in one single-byte encoding. */
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
      this.#bytes.delete(substitute);
      this.#bytes.set(0xfffd, substitute);
    }
  }

  /**
   * The bytes of `text`, as a string of characters 00–FF.
   *
   * @returns undefined if the encoding lacks a character of the text
   */
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

/** Converts bytes to a string of characters 00–FF, on which regular expressions can run. */
function binaryString(bytes: Uint8Array): string {
  let text = "";
  // In chunks, because every byte is an argument of the call.
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return text;
}

/** In the order in which ftfy tries them. */
export const singleByteEncodings: readonly SingleByteEncoding[] = codepages.map(
  (codepage) => new SingleByteEncoding(codepage),
);

/** Windows-1252, the most likely source of C1 control characters. */
export const windows1252 = singleByteEncodings[1] as SingleByteEncoding;
