import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DenoFiles, FileError } from "../../src/platform/mod.ts";

const files = new DenoFiles();
const encode = (text: string) => new TextEncoder().encode(text);

async function inFolder(story: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await story(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file is written whole, read, listed, renamed and removed", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a.yaml`;
    await files.writeText(path, "port: 4222\n");
    await files.writeText(path, "port: -1 # ü\n");
    assertEquals(await files.readText(path), "port: -1 # ü\n");
    assertEquals(files.listSync(folder), ["a.yaml"], "no draft is left");
    files.renameSync(path, `${folder}/b.yaml`);
    assertEquals(files.listSync(folder), ["b.yaml"]);
    assertEquals([files.removeSync(`${folder}/b.yaml`), files.removeSync(path)], [true, false]);
    await files.writeText(path, "");
    assertEquals([await files.remove(path), await files.remove(path)], [true, false]);
  }));

Deno.test("appending keeps what is there and counts the size", () =>
  inFolder(async (folder) => {
    const path = `${folder}/log`;
    const first = files.openAppend(path);
    assertEquals(first.size, 0);
    first.write(encode("one\n"));
    first.close();
    first.close();
    const second = files.openAppend(path);
    assertEquals(second.size, 4);
    second.write(encode("two\n"));
    assertEquals([second.size, await files.readText(path)], [8, "one\ntwo\n"]);
    second.close();
    assertThrows(() => second.write(encode("three")), FileError, `cannot append to ${path}`);
  }));

Deno.test("errors name the path and the reason", () =>
  inFolder(async (folder) => {
    const missing = `${folder}/missing`;
    const expect = async (action: () => unknown, message: string) => {
      const error = await assertRejects(async () => await action(), FileError);
      assertEquals(error.message, message);
      assert(error.cause instanceof Error);
    };
    await expect(
      () => files.readText(missing),
      `cannot read ${missing}: no such file or folder`,
    );
    await expect(
      () => files.openAppend(`${missing}/log`),
      `cannot open ${missing}/log: no such file or folder`,
    );
    await expect(
      () => files.writeText(`${missing}/pid`, "1"),
      `cannot write ${missing}/pid: no such file or folder`,
    );
    await expect(() => files.listSync(missing), `cannot list ${missing}: no such file or folder`);
    await expect(
      () => files.renameSync(missing, folder),
      `cannot rename to ${folder} ${missing}: no such file or folder`,
    );
    await expect(() => files.readText(folder), `cannot read ${folder}: is a folder`);
    await Deno.writeTextFile(`${folder}/file`, "");
    await expect(
      () => files.readText(`${folder}/file/x`),
      `cannot read ${folder}/file/x: a part of the path is not a folder`,
    );
  }));

Deno.test("a write that fails leaves the old file and no draft", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/target/full`, { recursive: true });
    await assertRejects(() => files.writeText(`${folder}/target`, "text"), FileError);
    assertEquals(files.listSync(folder), ["target"]);
    assertEquals(files.listSync(`${folder}/target`), ["full"]);
  }));
