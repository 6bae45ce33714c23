--- Orthonormal rows from a random matrix.
-- @module gru.nn.orthogonal
local core = require "gru.core"

local ops = core.functions

-- Rows made orthonormal, one after the other (Gram-Schmidt).  The projection is subtracted twice,
-- which leaves an error of the order of rounding (Giraud et al. 2005).  Each row keeps a positive
-- product with what it was made from: in the QR decomposition of the transpose, diag(R) > 0.
-- @param x (rows, cols) float64, rows <= cols; changed in place
local function orthonormal_rows(x)
  for i = 1, x:size(1) do
    local row = x[i]
    for _ = 1, i > 1 and 2 or 0 do
      local done = x:narrow(1, 1, i - 1)
      row:sub_(ops.matmul(ops.matmul(done, row), done))
    end
    row:div_(row:square():sum():sqrt())
  end
  return x
end

return orthonormal_rows
