"""How much a single frame may hold. Sizes are bytes, the others are counts."""

from dataclasses import dataclass

CLIENT_MAX = 2**53 - 1
"""Client ids are JavaScript's safe integers; yrs masks higher bits away, so two ids would become one."""

CLOCK_MAX = 2**31 - 1
"""yrs holds clocks in a u32 and subtracts them as i32."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the gate; an item costs yrs about 50 times its smallest encoding, hence counts beside sizes."""

    update_bytes_max: int = 8 * 1024 * 1024
    clients_max: int = 10_000
    structs_max: int = 500_000
    delete_ranges_max: int = 200_000
    key_bytes_max: int = 512
    depth_max: int = 32
    types_depth_max: int = 8
    work_max: int = 1_000_000
    vector_clients_max: int = 20_000
    presence_entries_max: int = 1_000
    presence_state_bytes_max: int = 4 * 1024
    presence_depth_max: int = 16
    presence_clock_max: int = CLOCK_MAX
    arrays_allowed: bool = False


TRUSTED = Limits(update_bytes_max=1 << 30, clients_max=1_000_000, structs_max=1 << 30, delete_ranges_max=1 << 30)
"""For what was admitted before."""
