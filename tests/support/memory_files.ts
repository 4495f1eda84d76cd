/**
 * Files in memory, which can be made to fail.
 *
 * @module
 */
import { type AppendFile, FileError, type Files } from "../../src/platform/mod.ts";

/** A file: it stays what it is when it is renamed or removed while somebody has it open. */
interface MemoryFile {
  text: string;
}

type Operation = "open" | "write" | "rename" | "remove" | "list";

/** A flat file system: folders exist by being named, files by path. */
export class MemoryFiles implements Files {
  /** Operations that fail from now on. */
  readonly failing = new Set<Operation>();
  /** Files opened and not yet closed. */
  openFiles = 0;
  /** How often a file was to be opened, whether it failed or not. */
  openTries = 0;
  readonly #files = new Map<string, MemoryFile>();

  /** The paths of all files, sorted. */
  get paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  /** The lines of a file; undefined when there is none. */
  lines(path: string): string[] | undefined {
    return this.#files.get(path)?.text.split("\n").slice(0, -1);
  }

  /** What a file holds; undefined when there is none. */
  text(path: string): string | undefined {
    return this.#files.get(path)?.text;
  }

  readText(path: string): Promise<string> {
    const text = this.text(path);
    if (text === undefined) return Promise.reject(new FileError(`${path}: no such file`));
    return Promise.resolve(text);
  }

  async readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
    return new TextEncoder().encode(await this.readText(path));
  }

  writeText(path: string, text: string): Promise<boolean> {
    const isNew = !this.#files.has(path);
    this.#files.set(path, { text });
    return Promise.resolve(isNew);
  }

  remove(path: string): Promise<boolean> {
    return Promise.resolve(this.removeSync(path));
  }

  renameSync(from: string, to: string): void {
    this.#mayFail("rename", from);
    const file = this.#files.get(from);
    if (file === undefined) throw new FileError(`rename ${from}: no such file`);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  removeSync(path: string): boolean {
    this.#mayFail("remove", path);
    return this.#files.delete(path);
  }

  makeFolder(_path: string): Promise<void> {
    return Promise.resolve();
  }

  listSync(folder: string): string[] {
    this.#mayFail("list", folder);
    const prefix = folder === "." ? "" : folder.endsWith("/") ? folder : `${folder}/`;
    return [...this.#files.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
      .filter((name) => !name.includes("/"));
  }

  openAppend(path: string): AppendFile {
    this.openTries++;
    this.#mayFail("open", path);
    const file = this.#files.get(path) ?? { text: "" };
    this.#files.set(path, file);
    this.openFiles++;
    let closed = false;
    return {
      get size() {
        return new TextEncoder().encode(file.text).length;
      },
      write: (bytes) => {
        this.#mayFail("write", path);
        if (closed) throw new FileError(`write ${path}: closed`);
        file.text += new TextDecoder().decode(bytes);
      },
      close: () => {
        if (!closed) this.openFiles--;
        closed = true;
      },
    };
  }

  #mayFail(operation: Operation, path: string): void {
    if (this.failing.has(operation)) throw new FileError(`${operation} ${path}: no space left`);
  }
}
