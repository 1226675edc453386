// What a device is called: by its name, and by a part of its id where several have that name.
export interface NamedDevice { readonly device: string; readonly name: string }

export function deviceName(all: readonly NamedDevice[], { device, name }: NamedDevice): string {
  const slot = /^cpu (\d+)$/.exec(device);
  if (slot) return 'CPU ' + slot[1];
  if (name === '' || name === device) return device;
  const isShared = all.filter((other) => other.name === name).length > 1;
  return isShared ? name + ' ' + device.replace(/^GPU-/, '').slice(0, 4) : name;
}
