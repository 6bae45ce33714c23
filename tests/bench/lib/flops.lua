--- How many floating-point operations training needs, whoever does it.
local flops = {}

--- One iteration, forward and backward, of a GRU over one-hot ids with an output layer: batch B, T steps,
-- hidden size H, vocabulary V.  Products alone, 2 m n k each: the recurrence, h (B, H) times (H, 3H) at
-- every step, and the output layer, (B T, H) times (H, V); backward is twice forward, one product for
-- each operand.  The products with one-hot matrices are look-ups.
function flops.gru(B, T, H, V)
  local recurrence = 2 * B * T * H * 3 * H
  local output = 2 * B * T * H * V
  return 3 * (recurrence + output)
end

--- A product of square matrices.
function flops.matmul(n) return 2 * n ^ 3 end

return flops
