/**
 * Small images with the CRC-32 of their pixels in Pillow, for checking a decoder before it is used. Written by
 * tools/golden/decoder_probes.py.
 */
export interface DecoderProbe {
  readonly base64: string;
  /** Of the RGB samples. */
  readonly crc32: number;
}

export const decoderProbes: Readonly<Record<"jpeg" | "webp", DecoderProbe>> = {
  jpeg: {
    base64:
      "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxO" +
      "UlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P" +
      "T09PT09PT0//wAARCAATABcDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF" +
      "BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW" +
      "V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi" +
      "4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAEC" +
      "AxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVm" +
      "Z2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq" +
      "8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDXbWrbgCObGf7o/wAawr+5S6v5GQMA+0DP0ArU08aM8zLeTW4QKTlp9ozkd81PNptjLOZb" +
      "GISxHGx43Lgn2IPrmniKmHUY8qejO6VapGreGkXpruYDWch6MnvyaK1b23e3KHyXTdnqpGfzor0OZ4n97B2T779jupzxNGKhRlHl" +
      "WxyE/wDqx9a7/wAH/wDIBsv95v8A0M0UV4E/4a9Tz84/hx9V+TLPiYcWv/A/6UUUV3x2M6H8NH//2Q==",
    crc32: 3733184425,
  },
  webp: {
    base64:
      "UklGRgoBAABXRUJQVlA4IP4AAAAQBwCdASoXABMAPrVQn0ynJKKiKAqo4BaJbACdMoR5n7Ndz2u7VeDAejB05nmZ6rl+sADKPgR+" +
      "KwkAGzd62DHXAAD+5yAiLC52R0of5P0Px6338Rnk/BWuiJX8sm96aNuMyuTKMA8alDaYfTPl7eb/map8YM5d5I1QvtUx0E0F9vdv" +
      "5i8j/P/T/5Zj73A/uzTCIR/jmM02gYSSKCdsSYqa+VZUwiAsq+zZXNfE8cRL/VRPtPF6+Tj5EKN7yU6Bb1tEddfinGf/1itshiKT" +
      "s4+JlPjWPRj8iKusdqAKey0YHEmzr1u9q3zOaX2CTP8VwjjqSr/FcC33eG3GrQAAAA==",
    crc32: 2933884928,
  },
};
