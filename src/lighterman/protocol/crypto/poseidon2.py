"""The Poseidon2 permutation of width 12 over Goldilocks, and the hash built on it.

Protocol reference 5.2 (permutation) and 5.3 (sponge): S-box x^7; 4 full, 22 partial, 4 full
rounds; the sponge overwrites up to 8 lanes per step, with neither padding nor length, so that
callers must hash lists whose length is fixed by what they mean.
"""

import functools
from collections.abc import Sequence

from lighterman.protocol.crypto.goldilocks import P, element

WIDTH = 12
RATE = 8
_STRIDE = 150  # bits per packed coefficient: sums of 33 products of a 64- and a 69-bit number fit

# Round constants and matrix diagonal: elliottech/poseidon_crypto, protocol reference 5.2.
FULL_ROUNDS = (
    (
        15492826721047263190,
        11728330187201910315,
        8836021247773420868,
        16777404051263952451,
        5510875212538051896,
        6173089941271892285,
        2927757366422211339,
        10340958981325008808,
        8541987352684552425,
        9739599543776434497,
        15073950188101532019,
        12084856431752384512,
    ),
    (
        4584713381960671270,
        8807052963476652830,
        54136601502601741,
        4872702333905478703,
        5551030319979516287,
        12889366755535460989,
        16329242193178844328,
        412018088475211848,
        10505784623379650541,
        9758812378619434837,
        7421979329386275117,
        375240370024755551,
    ),
    (
        3331431125640721931,
        15684937309956309981,
        578521833432107983,
        14379242000670861838,
        17922409828154900976,
        8153494278429192257,
        15904673920630731971,
        11217863998460634216,
        3301540195510742136,
        9937973023749922003,
        3059102938155026419,
        1895288289490976132,
    ),
    (
        5580912693628927540,
        10064804080494788323,
        9582481583369602410,
        10186259561546797986,
        247426333829703916,
        13193193905461376067,
        6386232593701758044,
        17954717245501896472,
        1531720443376282699,
        2455761864255501970,
        11234429217864304495,
        4746959618548874102,
    ),
    (
        13571697342473846203,
        17477857865056504753,
        15963032953523553760,
        16033593225279635898,
        14252634232868282405,
        8219748254835277737,
        7459165569491914711,
        15855939513193752003,
        16788866461340278896,
        7102224659693946577,
        3024718005636976471,
        13695468978618890430,
    ),
    (
        8214202050877825436,
        2670727992739346204,
        16259532062589659211,
        11869922396257088411,
        3179482916972760137,
        13525476046633427808,
        3217337278042947412,
        14494689598654046340,
        15837379330312175383,
        8029037639801151344,
        2153456285263517937,
        8301106462311849241,
    ),
    (
        13294194396455217955,
        17394768489610594315,
        12847609130464867455,
        14015739446356528640,
        5879251655839607853,
        9747000124977436185,
        8950393546890284269,
        10765765936405694368,
        14695323910334139959,
        16366254691123000864,
        15292774414889043182,
        10910394433429313384,
    ),
    (
        17253424460214596184,
        3442854447664030446,
        3005570425335613727,
        10859158614900201063,
        9763230642109343539,
        6647722546511515039,
        909012944955815706,
        18101204076790399111,
        11588128829349125809,
        15863878496612806566,
        5201119062417750399,
        176665553780565743,
    ),
)
PARTIAL_ROUNDS = (
    11921381764981422944,
    10318423381711320787,
    8291411502347000766,
    229948027109387563,
    9152521390190983261,
    7129306032690285515,
    15395989607365232011,
    8641397269074305925,
    17256848792241043600,
    6046475228902245682,
    12041608676381094092,
    12785542378683951657,
    14546032085337914034,
    3304199118235116851,
    16499627707072547655,
    10386478025625759321,
    13475579315436919170,
    16042710511297532028,
    1411266850385657080,
    9024840976168649958,
    14047056970978379368,
    838728605080212101,
)
DIAGONAL = (
    0xC3B6C08E23BA9300,
    0xD84B5DE94A324FB6,
    0x0D0C371C5B35B84F,
    0x7964F570E7188037,
    0x5DAF18BBD996604B,
    0x6743BC47B9595257,
    0x5528B9362C59BB70,
    0xAC45E25B7127B68B,
    0xA2077D7DFBB606B5,
    0xF3FAAC6FAEE378AE,
    0x0C6388B51545E883,
    0xD27DBB6944917B60,
)


def permute(state: Sequence[int]) -> list[int]:
    """Return the permutation of 12 elements."""
    lanes = _mix(state)
    for constants in FULL_ROUNDS[:4]:
        lanes = _mix(_seventh_powers(lanes, constants))
    lanes = _partial_rounds(lanes)
    for constants in FULL_ROUNDS[4:]:
        lanes = _mix(_seventh_powers(lanes, constants))
    return [lane % P for lane in lanes]


def sponge(elements: Sequence[int], count: int) -> list[int]:
    """Return the first `count` (<= 8) elements of the hash of a list of elements."""
    state = [0] * WIDTH
    for at in range(0, len(elements), RATE):
        chunk = elements[at : at + RATE]
        state[: len(chunk)] = chunk
        state = permute(state)
    return state[:count]


def hash_integers(values: Sequence[int], count: int) -> list[int]:
    """Return the first `count` (<= 8) elements of the hash of integers, read as 64-bit ones first (5.1)."""
    return sponge([element(value) for value in values], count)


def _seventh_powers(lanes: Sequence[int], constants: Sequence[int]) -> list[int]:
    """Add the round's constants and apply the S-box; lanes may be a few bits longer than a word."""
    powers = []
    for lane, constant in zip(lanes, constants, strict=True):
        base = lane + constant
        cube = base * base * base % P
        powers.append(cube * cube * base % P)
    return powers


def _mix(lanes: Sequence[int]) -> list[int]:
    """Apply the matrix of full rounds: each block of four, then to each lane the sum of its column."""
    a, b, c, d, e, f, g, h, i, j, k, m = lanes
    a, b, c, d = _mix_block(a, b, c, d)
    e, f, g, h = _mix_block(e, f, g, h)
    i, j, k, m = _mix_block(i, j, k, m)
    p, q, r, s = a + e + i, b + f + j, c + g + k, d + h + m
    return [a + p, b + q, c + r, d + s, e + p, f + q, g + r, h + s, i + p, j + q, k + r, m + s]


def _mix_block(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    """Apply the circulant matrix (2 3 1 1)."""
    ab, cd = a + b, c + d
    total = ab + cd
    return total + ab + b, total + b + c + c, total + cd + d, total + d + a + a


def _partial_rounds(lanes: Sequence[int]) -> list[int]:
    """Run the rounds whose S-box touches lane 0 alone.

    Round: lane 0 through the S-box; T = the sum of all lanes; lane i becomes T + lane i * D_i.
    Lanes 1-11 are thus linear in their start and in the T of the rounds, and all a round needs
    of them is their sum. `rest` carries, packed into one integer, their sum before this and each
    later round as far as it is known, and behind those the lanes after the last round: one
    product per round adds T's share to all of them, in place of eleven products and remainders.
    """
    by_lane, by_round = _linear_shares()
    mask = (1 << _STRIDE) - 1
    first = lanes[0]
    rest = sum(lane * share for lane, share in zip(lanes[1:], by_lane, strict=True))
    for constant, share in zip(PARTIAL_ROUNDS, by_round, strict=True):
        base = first + constant
        cube = base * base * base % P
        base = cube * cube * base % P
        total = (base + (rest & mask)) % P
        rest = (rest >> _STRIDE) + total * share
        first = base * DIAGONAL[0] + total
    return [first, *((rest >> (_STRIDE * i)) & mask for i in range(WIDTH - 1))]


@functools.cache
def _linear_shares() -> tuple[list[int], list[int]]:
    """Return what each of lanes 1-11, and each round's T, adds to `rest`: powers of the diagonal."""
    rounds = len(PARTIAL_ROUNDS)
    powers = [[pow(factor, r, P) for r in range(rounds + 1)] for factor in DIAGONAL[1:]]
    sums = [sum(column) % P for column in zip(*powers, strict=True)]
    only = [[int(i == j) for j in range(WIDTH - 1)] for i in range(WIDTH - 1)]
    by_lane = [_pack([*p[:rounds], *(p[rounds] * flag for flag in only[i])]) for i, p in enumerate(powers)]
    by_round = [_pack([*sums[:left], *(p[left] for p in powers)]) for left in reversed(range(rounds))]
    return by_lane, by_round


def _pack(words: Sequence[int]) -> int:
    return sum(word << (_STRIDE * i) for i, word in enumerate(words))
