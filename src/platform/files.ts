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
   * The text of a UTF-8 file.
   *
   * @throws {FileError} when it cannot be read.
   */
  readText(path: string): Promise<string>;
  /**
   * Writes a UTF-8 file atomically (a temporary file in the same folder, then a rename).
   *
   * @throws {FileError} when it cannot be written.
   */
  writeText(path: string, text: string): Promise<void>;
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

/** A file operation failed; the message names the path and the reason. */
export class FileError extends Error {
  /** Always `"FileError"`. */
  override readonly name = "FileError";
}
