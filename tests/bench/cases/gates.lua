return {
  about = "the functions of the gates over a million floats",
  run = function(ctx)
    local duel = ctx:duel("gates", {
      elements = ctx.quick and 10000 or 1000000, samples = ctx.quick and 1 or 10,
      count = ctx.quick and 1 or 10,
    })
    local figures = {}
    for i, name in ipairs {"exp", "sigmoid", "tanh"} do
      figures[i] = {key = name, title = name .. ", an element", unit = "ns", scale = 1e9}
    end
    return ctx:rows(duel, figures)
  end,
}
