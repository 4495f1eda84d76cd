/**
 * Permissions that are the same are read once.
 *
 * @module
 */
import type { PermissionSettings } from "../config/mod.ts";

/** How many different settings are remembered, and how long they may be as JSON. */
const SETTINGS_MAX = 1024, SETTINGS_LENGTH_MAX = 16_384;

/**
 * What was made of settings: by the settings object as long as that lives, and of the last 1,024
 * different settings by what they say, so that users who may do the same share what is known of it.
 */
export class CompiledPermissions<Permissions extends object> {
  readonly #compile: (settings: PermissionSettings) => Permissions | null;
  readonly #byObject = new WeakMap<PermissionSettings, { permissions: Permissions | null }>();
  readonly #bySettings = new Map<string, { permissions: Permissions | null }>();

  /** `compile` must depend on nothing but what it is given. */
  constructor(compile: (settings: PermissionSettings) => Permissions | null) {
    this.#compile = compile;
  }

  /** What `settings`, which must not change any more, come to. */
  of(settings: PermissionSettings): Permissions | null {
    const known = this.#byObject.get(settings);
    if (known !== undefined) return known.permissions;
    const made = this.#bySettingsOrNew(settings);
    this.#byObject.set(settings, made);
    return made.permissions;
  }

  #bySettingsOrNew(settings: PermissionSettings): { permissions: Permissions | null } {
    const { publish, subscribe, allow_responses } = settings;
    const key = JSON.stringify([
      publish?.allow ?? [],
      publish?.deny ?? [],
      subscribe?.allow ?? [],
      subscribe?.deny ?? [],
      allow_responses === undefined ? [] : [allow_responses.max, allow_responses.expires],
    ]);
    const kept = this.#bySettings.get(key);
    const made = kept ?? { permissions: this.#compile(settings) };
    if (key.length > SETTINGS_LENGTH_MAX) return made;
    // The one that was asked for longest ago is the first.
    if (kept !== undefined) this.#bySettings.delete(key);
    this.#bySettings.set(key, made);
    if (this.#bySettings.size > SETTINGS_MAX) {
      for (const oldest of this.#bySettings.keys()) {
        this.#bySettings.delete(oldest);
        break;
      }
    }
    return made;
  }
}
