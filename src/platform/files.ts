/**
 * Files. Nothing outside `platform/` touches the file system directly.
 *
 * @module
 */

/** A file opened for appending. */
export interface AppendFile {
  /** Current length in bytes. */
  readonly size: number;
  /**
   * Appends all of `bytes`. Synchronous: what was logged before a crash is on disk.
   *
   * @throws {FileError} when not all of it could be written; `size` counts what was.
   */
  write(bytes: Uint8Array): void;
  /** Closes the file. Calling it again does nothing. */
  close(): void;
}

/** The file system, as far as a broker needs it. */
export interface Files {
  /**
   * The text of a UTF-8 file, without a byte order mark.
   *
   * @throws {FileError} when it cannot be read, or is not UTF-8.
   */
  readText(path: string): Promise<string>;
  /**
   * The bytes of a file.
   *
   * @throws {FileError} when it cannot be read.
   */
  readBytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Writes a UTF-8 file, and resolves to whether there was nothing at `path` before. A regular file is
   * written atomically (a temporary file in the same folder, then a rename); anything else, such as a
   * device or what a link points to, is written in place, and so is a file that may be written in a
   * folder that may not.
   *
   * @throws {FileError} when it cannot be written.
   */
  writeText(path: string, text: string): Promise<boolean>;
  /**
   * Removes a file; resolves to false when there was none.
   *
   * @throws {FileError} when it cannot be removed.
   */
  remove(path: string): Promise<boolean>;
  /**
   * Renames a file synchronously, replacing what is at `to`.
   *
   * @throws {FileError} when it cannot be renamed.
   */
  renameSync(from: string, to: string): void;
  /**
   * Removes a file synchronously; false when there was none.
   *
   * @throws {FileError} when it cannot be removed.
   */
  removeSync(path: string): boolean;
  /**
   * Makes a folder, and those it is in; does nothing where it is there already.
   *
   * @throws {FileError} when it cannot be made.
   */
  makeFolder(path: string): Promise<void>;
  /**
   * Names of the entries of a folder, in no particular order.
   *
   * @throws {FileError} when it cannot be listed.
   */
  listSync(folder: string): string[];
  /**
   * Opens a file for appending, creating it when missing.
   *
   * @throws {FileError} when it cannot be opened.
   */
  openAppend(path: string): AppendFile;
}

/**
 * The text of a file's bytes, without a byte order mark.
 *
 * @param path The file, to be named when its bytes are no text.
 * @throws {FileError} when the bytes are not UTF-8, with the place of the first that is not.
 */
export function decodeText(path: string, bytes: Uint8Array<ArrayBuffer>): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const offset = firstWrongByte(bytes);
    let line = 1;
    for (let at = 0; at < offset; at++) if (bytes[at] === LINE_FEED) line++;
    const place = `line ${line}, byte ${offset} of the file`;
    throw new FileError(`cannot read ${path}: not UTF-8 text (${place})`, { cause });
  }
}

const LINE_FEED = 10;

/** Offset of the byte with which `bytes` ceases to be UTF-8. */
function firstWrongByte(bytes: Uint8Array<ArrayBuffer>): number {
  const isText = (length: number, stream: boolean) => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length), { stream });
      return true;
    } catch {
      return false;
    }
  };
  let good = 0, bad = bytes.length + 1; // lengths that could still become text, and could not
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isText(middle, true)) good = middle;
    else bad = middle;
  }
  // Back to where the character begins that is not finished.
  while (!isText(good, false)) good--;
  return good;
}

/** A file operation failed; the message names the path and the reason. */
export class FileError extends Error {
  /** Always `"FileError"`. */
  override readonly name = "FileError";
}
