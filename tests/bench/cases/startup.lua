local core = require "gru.core"
local process = require "lib.process"
local stats = require "lib.stats"

-- The wall time of a whole process.
local function starting(label, command)
  return {
    label = label,
    run = function()
      local start = core.clock()
      local ok = os.execute(command .. " </dev/null >/dev/null")
      return ok and {seconds = {core.clock() - start}}
    end,
  }
end

return {
  about = "from the start of a process to its end, against stock lua5.4 -e ''",
  run = function(ctx)
    local program = process.quote(ctx.program)
    local turns = ctx:turns({
      starting("lua5.4", "lua5.4 -e ''"),
      starting("gru-lua", program .. " -e ''"),
      starting("gru-lua and the library", program .. " -e 'require \"gru\"'"),
      starting("gru-lua and gru.nn", program .. " -e 'local _ = require \"gru\".nn'"),
    }, ctx.quick and 3 or 40 * ctx.rounds)
    local stock, rows = turns[1] and stats.summary(turns[1].seconds, 1e3), {}
    for i, title in ipairs {"-e ''", "-e 'require \"gru\"'", "-e 'require \"gru\".nn'"} do
      if turns[i + 1] then
        rows[i] = {
          figure = title, unit = "ms", better = "less", ours = stats.summary(turns[i + 1].seconds, 1e3),
          peer = stock, peer_name = "lua5.4",
        }
      end
    end
    if rows[1] and stock then
      rows[#rows + 1] = {
        figure = "-e '', beyond lua5.4", unit = "ms", better = "less",
        ours = {median = rows[1].ours.median - stock.median},
      }
    end
    return rows
  end,
}
