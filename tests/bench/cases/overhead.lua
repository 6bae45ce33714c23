return {
  about = "one op on eight floats from the script, garbage collection counted in",
  run = function(ctx)
    local duel = ctx:duel("overhead", {
      samples = ctx.quick and 1 or 10, count = ctx.quick and 1000 or 100000,
    }, {1})
    return ctx:rows(duel, {
      {key = "add", title = "a + b", unit = "ns", scale = 1e9},
      {key = "sigmoid", title = "a:sigmoid()", unit = "ns", scale = 1e9},
      {key = "mul_", title = "a:mul_(1)", unit = "ns", scale = 1e9},
      {key = "recorded", title = "w + b, recorded", unit = "ns", scale = 1e9},
      {key = "backward", title = "(w * b):sum():backward()", unit = "ns", scale = 1e9},
    })
  end,
}
