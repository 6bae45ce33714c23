local article = require "lib.article"
local flops = require "lib.flops"
local stats = require "lib.stats"

-- What the figures of one sample say: milliseconds, and shares of the large product's rate in percent.
local function derive(s, sizes, hidden)
  local rate = flops.matmul(sizes.size) / s.product
  local B, T, V = sizes.batch, sizes.steps, sizes.vocab
  local products = flops.gru(B, T, hidden, V) / rate
  local passes = s.layer - flops.recurrence(B, T, hidden) / rate + s.loss + s.update
  local least = flops.passes(B, T, hidden, V) * s.copy / (2 * flops.FLOAT * sizes.copied)
  return {
    iteration = 1e3 * s.iteration, products = 1e3 * products, passes = 1e3 * passes, least = 1e3 * least,
    share = 100 * products / s.iteration, alone = 100 * products / (products + passes),
    bound = 100 * products / (products + least),
  }
end

local FIGURES = {
  {"iteration", "an iteration", "ms", "less"},
  {"products", "its products, at the rate of a large one", "ms", "less"},
  {"passes", "all else, each part alone", "ms", "less"},
  {"least", "all else, at the rate of a copy", "ms", "less"},
  {"share", "of a product's rate", "%", "more"},
  {"alone", "of a product's rate, were every part as fast as alone", "%", "more"},
  {"bound", "of a product's rate, were all else a copy", "%", "more"},
}

return {
  about = "where the time of an iteration of the nn half goes, and what bounds its share of a product's rate",
  run = function(ctx)
    local rows = {}
    for _, hidden in ipairs(ctx.quick and {32} or {256, 512, 1024}) do
      local sizes = {
        hidden = hidden, batch = article.BATCH, steps = article.STEPS, vocab = article.VOCAB,
        size = ctx.quick and 256 or 2048, copied = ctx.quick and 10000 or 1 << 24,
        samples = ctx.quick and 1 or 5, threads = math.max(table.unpack(ctx.threads)),
      }
      local figures = ctx:turns({ctx:ours("parts", sizes)})[1]
      local derived = {}
      for i = 1, figures and #figures.iteration or 0 do
        local sample = {}
        for name, list in pairs(figures) do sample[name] = list[i] end
        for name, x in pairs(derive(sample, sizes, hidden)) do
          derived[name] = derived[name] or {}
          derived[name][i] = x
        end
      end
      for _, f in ipairs(figures and FIGURES or {}) do
        rows[#rows + 1] = {
          figure = ("H = %d, %s"):format(hidden, f[2]), unit = f[3], better = f[4],
          ours = stats.summary(derived[f[1]]),
        }
      end
    end
    return rows
  end,
}
