--- How many floating-point operations, and bytes of memory, training needs, whoever does it.
--
-- Of a GRU over one-hot ids with an output layer: batch B, T steps, hidden size H, vocabulary V.
local flops = {FLOAT = 4}

--- The products of the recurrence in one iteration, 2 m n k each: h (B, H) times (H, 3H) at every step.
-- Backward is twice forward, one product for each operand.
function flops.recurrence(B, T, H)
  return 3 * 2 * B * T * H * 3 * H
end

--- All products of one iteration: those of the recurrence, and the output layer's (B T, H) times (H, V).
-- The products with one-hot matrices are look-ups.
function flops.gru(B, T, H, V)
  return flops.recurrence(B, T, H) + 3 * 2 * B * T * H * V
end

--- The bytes that one iteration moves beside its products, were nothing read or written twice in a pass:
-- the look-up of the gates' input parts, the gates and their gradients (four values a unit are saved),
-- the gradient of what was looked up, the loss, the sums for the biases, the norm of the gradients, Adam.
function flops.passes(B, T, H, V)
  local weights = 3 * H * V + 3 * H * H + 6 * H + V * H + V
  local units, logits = B * T * H, B * T * V
  local look_up = 3 * units + 3 * units
  local gates = 3 * units + (4 + 1) * units
  local gates_back = (4 + 1 + 1) * units + (3 + 1) * units
  local look_up_back = 3 * units + 3 * H * V
  local loss, sums = logits + 2 * logits, logits + 4 * units
  local norm, adam = weights, (4 + 3) * weights
  return flops.FLOAT * (look_up + gates + gates_back + look_up_back + loss + sums + norm + adam)
end

--- A product of square matrices.
function flops.matmul(n) return 2 * n ^ 3 end

return flops
