/**
 * The file system through Deno.
 *
 * @module
 */
import { type AppendFile, decodeText, FileError, type Files } from "./files.ts";

/** {@link Files} over the machine's file system. */
export class DenoFiles implements Files {
  /** See {@link Files.readText}. */
  async readText(path: string): Promise<string> {
    return decodeText(path, await this.readBytes(path));
  }

  /** See {@link Files.readBytes}. */
  async readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await Deno.readFile(path);
    } catch (error) {
      throw failure("read", path, error);
    }
  }

  /** See {@link Files.writeText}. */
  async writeText(path: string, text: string): Promise<boolean> {
    const draft = `${path}.${crypto.randomUUID()}.tmp`;
    try {
      const there = await Deno.lstat(path).catch((error) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (there === undefined || there.isFile) {
        try {
          await Deno.writeTextFile(draft, text, { createNew: true });
          await Deno.rename(draft, path);
          return there === undefined;
        } catch (error) {
          await Deno.remove(draft).catch(() => {});
          // The folder is not ours, but the file in it may be.
          if (there === undefined || !(error instanceof Deno.errors.PermissionDenied)) throw error;
        }
      }
      await Deno.writeTextFile(path, text);
      return there === undefined;
    } catch (error) {
      throw failure("write", path, error);
    }
  }

  /** See {@link Files.remove}. */
  async remove(path: string): Promise<boolean> {
    try {
      await Deno.remove(path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw failure("remove", path, error);
    }
  }

  /** See {@link Files.renameSync}. */
  renameSync(from: string, to: string): void {
    try {
      Deno.renameSync(from, to);
    } catch (error) {
      throw failure(`rename to ${to}`, from, error);
    }
  }

  /** See {@link Files.removeSync}. */
  removeSync(path: string): boolean {
    try {
      Deno.removeSync(path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw failure("remove", path, error);
    }
  }

  /** See {@link Files.makeFolder}. */
  async makeFolder(path: string): Promise<void> {
    try {
      await Deno.mkdir(path, { recursive: true });
    } catch (error) {
      throw failure("make the folder", path, error);
    }
  }

  /** See {@link Files.listSync}. */
  listSync(folder: string): string[] {
    try {
      return Array.from(Deno.readDirSync(folder), (entry) => entry.name);
    } catch (error) {
      throw failure("list", folder, error);
    }
  }

  /** See {@link Files.openAppend}. */
  openAppend(path: string): AppendFile {
    try {
      const file = Deno.openSync(path, { append: true, create: true });
      return new DenoAppendFile(path, file, file.statSync().size);
    } catch (error) {
      throw failure("open", path, error);
    }
  }
}

class DenoAppendFile implements AppendFile {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #size: number;
  #closed = false;

  constructor(path: string, file: Deno.FsFile, size: number) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  write(bytes: Uint8Array): void {
    try {
      for (let written = 0; written < bytes.length;) {
        const count = this.#file.writeSync(bytes.subarray(written));
        written += count;
        this.#size += count;
      }
    } catch (error) {
      throw failure("append to", this.#path, error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}

function failure(verb: string, path: string, error: unknown): FileError {
  return new FileError(`cannot ${verb} ${path}: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or folder";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) return "permission denied (run with -A)";
  if (error instanceof Deno.errors.IsADirectory) return "is a folder";
  if (error instanceof Deno.errors.NotADirectory) return "a part of the path is not a folder";
  // The runtime appends the system's number and the path, which the message already names.
  return error instanceof Error ? error.message.replace(/ \(os error \d+\).*/s, "") : String(error);
}
