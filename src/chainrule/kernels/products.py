"""A matrix product, panel by panel and stretch by stretch of its sums."""

from chainrule.kernels.parts import kernel
from chainrule.kernels.tiles import TERMS, VECTOR_BYTES, VECTORS, block


@kernel
def product(job, a, rows, row_step, a_list, a_step, b, b_panel, b_step, b_list, terms, c, c_panel, c_row, c_step, width, height, bias):  # fmt: skip  # noqa: E501
    """C[r, :] = s + Σ_k A(r, k) B(k, :) for r < height, where s is the vector at `bias`, or C itself where that is 0.

    A(r, k) stands at a + rows[r]·row_step + a_list[k]·a_step. The panel of B from column s on begins s·b_panel numbers
    after b; its row k lies at b_list[k] times b_step numbers, or times the width of the panel where b_step is 0. The
    panel of C begins s·c_panel numbers after c, of which the rows from c_row on are meant, c_step apart likewise.
    `width` is that of B and C, a whole number of vectors.
    """
    size = job.itemsize
    lanes = VECTOR_BYTES // size
    panel = VECTORS * lanes
    for k in range(0, max(terms, 1), TERMS):
        for start in range(0, width, panel):
            wide = min(panel, width - start)
            bs = b_step if b_step else wide
            cs = c_step if c_step else wide
            b_at = b + start * b_panel * size
            c_at = c + (start * c_panel + c_row * cs) * size
            s, s_step = (bias + start * size, 0) if bias and k == 0 else (c_at, cs)
            block(job.one, a, rows, row_step, a_list + 8 * k, a_step, b_at, b_list + 8 * k, bs, min(TERMS, terms - k), c_at, cs, s, s_step, height, wide // lanes)  # fmt: skip  # noqa: E501
