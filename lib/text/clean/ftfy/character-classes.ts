/**
 * The character tables by which ftfy detects mojibake, as the bodies of regular expression classes.
 *
 * Adjacent characters are joined into ranges.
 *
 * Source: ftfy 6.3.1, badness.py, MOJIBAKE_CATEGORIES; chardata.py, UTF8_CLUES (copyright 2023 Robyn Speer, Apache-2.0,
 * https://github.com/rspeer/python-ftfy)
 */

/** Characters that occur in mojibake, by their role in correct text. */
export const categories = {
  c1: "\u0080-\u009f",
  bad: "¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\ufffd",
  law: "§¶",
  currency: "¢£¥₧€",
  startPunctuation: "¡©«¿΄΅‘‚“„•‹\uf8ff",
  endPunctuation: "®»˝”›™",
  numeric: "±-³µ¹¼-¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥",
  kaomoji: "°Ò-ÖÙ-Üò-öø-üŌŐŪŲ",
  upperAccented: "À-ÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ",
  lowerAccented: "ß-ñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґﬁﬂ",
  upperCommon: "ÞΆΈ-ΊΌΎΏΑ-ΫЁ-Я",
  lowerCommon: "ά-ωа-џ",
  box: "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓",
  common: "\u00a0\u00ad´·–-―’…",
} as const;

/** The characters that UTF-8 bytes become when they are decoded with one of the single-byte encodings. */
export const utf8Clues = {
  /** Bytes C2–DF. */
  firstOf2: "Â-ßĀĂĆČĎĐĒĖĘĚĞĢĪİĶĹĻŁŃŅŇŌŐŘŚŞŠŢŪŮŰŲŹŻŽΒ-ΡΣ-ίВ-Я",
  /** Bytes E0–EF. */
  firstOf3: "à-ïāăąćčďēėęěģīįķĺļŕźΰ-οа-п",
  /** Bytes F0–F4. */
  firstOf4: "ðóđğšπσру",
  /** Bytes 80–BF, and the space, which may have been a no-break space (A0). */
  continuation: " \u0080-¿ÆØæøĄąĽľŁłŒœŖŗŚśŞ-šŤťŸ-žƒˆˇ˘˛-˝΄-ΆΈ-ΊΌΎΏЁ-ЌЎЏё-ќўџҐґ–-―‘-‚“-„†-•…‰‹›€№™",
  /** Bytes 80–BF without the characters that are common in correct text: space, dashes and quotes. */
  continuationStrict: "\u0080-¿ÆØæøĄąĽľŁłŒœŖŗŚśŞ-šŤťŸ-žƒˆˇ˘˛-˝΄-ΆΈ-ΊΌΎΏЁ-ЌЎЏё-ќўџҐґ†‡‰‹›€№™",
} as const;
