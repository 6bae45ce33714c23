-- Wrong calls: each raises an error that names the function (or the op that it stands for) and what
-- was wrong; none crashes, hangs, or is accepted.
--
-- `support/badinput_*.lua` list calls by hand; below, others are made from the op table.
local gru = require "gru"
local core = require "gru.core"
local describe = require("tests.support.devices").describe

local nn, optim = gru.nn, gru.optim

-- What the calls may use, new for each: a wrong call must not spoil the next one.
local function environment()
  local o = optim.SGD({gru.ones(2, {requires_grad = true})}, {lr = 1, momentum = 0.9})
  return setmetatable({
    gru = gru, nn = nn, F = nn.functional, optim = optim, S = optim.lr_scheduler,
    x = gru.ones(2, 3), -- one tensor of every dtype
    i = gru.ones(2, 3, {dtype = "int64"}),
    b = gru.ones(2, 3, {dtype = "bool"}),
    w = gru.ones(2, {dtype = "float64", requires_grad = true}),
    v = gru.ones(4), -- fits none of them
    o = o, -- an optimiser with a scheduler, and new ones without
    s = optim.lr_scheduler.StepLR(o, 1),
    o2 = function() return optim.SGD({gru.ones(2)}) end,
    V = gru.text.Vocab.new({"a", "b"}),
    ids = gru.arange(1, 20),
    T = function(options) -- a trainer that lacks an optimiser and data
      local all = {model = nn.Tanh(), loss = nn.MSELoss()}
      for name, value in pairs(options or {}) do all[name] = value end
      return gru.train.Trainer(all)
    end,
  }, {__index = _G})
end

-- What Lua itself says when a check is missing, and what names nobody.
local careless = {
  "attempt to", "nil value", "'?'", "gru.core", "'for iterator'", "stack overflow", "invalid option to",
}

-- Runs a call, or statements; gives what is wrong with how it was refused, or nil.
local function verdict(text, wanted)
  local f = load("local _ = " .. text, "=call", "t", environment())
    or assert(load(text, "=call", "t", environment()))
  local ok, message = pcall(f)
  if ok then return "accepted" end
  if type(message) ~= "string" then return "raised a " .. type(message) end
  for _, part in ipairs(careless) do
    if message:find(part, 1, true) then return message end
  end
  for _, part in ipairs(type(wanted) == "table" and wanted or {wanted}) do
    if not message:find(part, 1, true) then return ("%s\n     (wanted: %s)"):format(message, part) end
  end
end

-- Checks a list of {text, wanted} and reports all that fail at once.
local function refuses(list)
  local problems = {}
  for _, case in ipairs(list) do
    local problem = verdict(case[1], case[2])
    if problem then problems[#problems + 1] = ("%s: %s"):format(case[1], problem) end
  end
  if #problems > 0 then
    error(("%d of %d:\n  %s"):format(#problems, #list, table.concat(problems, "\n  ")), 0)
  end
end

describe("wrong use raises an error that says what is wrong:", function()
  local defaults

  setup(function() defaults = {gru.get_default_dtype(), gru.get_default_device(), gru.get_num_threads()} end)
  teardown(function()
    assert.same(defaults, {gru.get_default_dtype(), gru.get_default_device(), gru.get_num_threads()})
    assert.is_true(gru.is_grad_enabled())
    assert.is_false(gru.is_anomaly_mode())
  end)

  for _, topic in ipairs {"tensors", "ops", "nn", "library"} do
    it(topic, function()
      local list = {}
      for line in require("tests.support.badinput_" .. topic):gmatch "[^\n]+" do
        local text, wanted = line:match "^(.-)  %-%-> (.+)$"
        list[#list + 1] = {assert(text, line), wanted}
      end
      assert.is_true(#list > 100)
      refuses(list)
    end)
  end

  -- ---- made from the op table ------------------------------------------------------------------

  local elementwise = {}
  for _, op in ipairs(core.op_names()) do
    if op.elementwise then elementwise[#elementwise + 1] = op end
  end

  -- f(x, x, x), with `last` in the place of the last.
  local function call(name, inputs, last)
    local arguments = {}
    for k = 1, inputs do arguments[k] = k == inputs and last or "x" end
    return name .. "(" .. table.concat(arguments, ", ") .. ")"
  end

  it("elementwise ops, as functions", function()
    local list = {}
    for _, op in ipairs(elementwise) do
      local f = "gru." .. op.name
      list[#list + 1] = {f .. "()", op.name}
      if op.name ~= "clamp" then -- has open sides
        for _, wrong in ipairs {"nil", '"1"', "{}", "print"} do
          list[#list + 1] = {call(f, op.inputs, wrong), op.name}
        end
        if op.name ~= "where" then
          list[#list + 1] = {call(f, op.inputs + 1, "x"), {op.name, "too many"}}
        end
        list[#list + 1] = {call(f, op.inputs, "{x}"), op.name}
      end
      if op.inputs > 1 then list[#list + 1] = {call(f, op.inputs, "v"), {op.name, "[2, 3]", "[4]"}} end
      if op.name ~= "where" and op.name ~= "clamp" then
        list[#list + 1] = {call(f, op.inputs, "1"):gsub("x", "1"), op.name}
        list[#list][1] = list[#list][1]:gsub("e1p", "exp"):gsub("ma1", "max"):gsub("1or", "xor")
      end
    end
    refuses(list)
  end)

  it("elementwise ops, in place", function()
    local list = {}
    for _, op in ipairs(elementwise) do
      local name = op.name .. "_"
      if op.name ~= "clamp" then
        list[#list + 1] = {"x." .. name .. "()", name}
        list[#list + 1] = {"x." .. name .. "(1)", name}
        list[#list + 1] = {call("x:" .. name, op.inputs, "x"), {op.name, "too many"}}
        if op.inputs > 1 then
          list[#list + 1] = {call("x:" .. name, op.inputs - 1, '"1"'), name}
          list[#list + 1] = {call("x:" .. name, op.inputs - 1, "v"), {op.name, "[4]"}}
          list[#list + 1] = {call("gru.ones(3):" .. name, op.inputs - 1, "x"), {op.name, "[2, 3]", "[3]"}}
        end
      end
    end
    refuses(list)
  end)

  -- Methods with a dim, `?` in its place.  A name behind it says which op the message may name.
  local dims = {
    "sum(?)", "sum(?, true)", "prod(?)", "mean(?)", "max(?)", "min(?)", "argmax(?)", "argmin(?)", "any(?)",
    "all(?)", "amax(?)", "amin(?)", "softmax(?)", "log_softmax(?)", "cumsum(?)", "cumprod(?)",
    "logsumexp(?)", "median(?)", "var(?) mean", "std(?) mean", "norm(2, ?) sum", "squeeze(?)",
    "unsqueeze(?)", "narrow(?, 1, 1)", "select(?, 1)", "transpose(?, 1)", "transpose(1, ?)", "unbind(?)",
    "split(1, ?)", "chunk(1, ?)", "flatten(?)", "flatten(1, ?)", "flip(?)", "roll(1, ?)", "sort(?)",
    "argsort(?) sort", "topk(1, ?)", "kthvalue(1, ?)", "movedim(?, 1)", "movedim(1, ?)",
    "unflatten(?, {1, -1})", "repeat_interleave(2, ?)", "index_select(?, ids)", "index_add(?, ids, x)",
    "index_copy(?, ids, x)", "index_fill(?, ids, 1)", "gather(?, i)", "scatter(?, i, x)",
    "scatter_add(?, i, x)", "size(?)", "swapaxes(?, 1) transpose", "count_nonzero(?) sum", "nansum(?) sum",
    "permute(?, 1)", "permute(1, ?)",
  }

  for _, wrong in ipairs {"0", "4", "99", "-4", "-99", "1.5", "'dim'", "print", "1e300", "1 << 62"} do
    it("dim " .. wrong, function()
      local list = {}
      for _, row in ipairs(dims) do
        local text, other = row:match "^(.*%)) ?(%w*)$"
        local wanted = {other ~= "" and other or text:match "^%w[%w_]*"}
        local long = math.type(load("return " .. wrong)()) == "integer" and wrong ~= "0"
        if long and wrong ~= "1 << 62" and not text:find "^permute" then wanted[2] = wrong end
        if core.methods[text:match "^[%w_]+"] then
          list[#list + 1] = {"x:" .. text:gsub("%?", (wrong:gsub("%%", "%%%%"))), wanted}
        end
      end
      refuses(list)
    end)
  end

  it("a method of something that is no tensor", function()
    local list = {}
    local names = {}
    for name in pairs(core.methods) do
      if not name:find "^__" then names[#names + 1] = name end
    end
    table.sort(names)
    for _, name in ipairs(names) do
      for _, wrong in ipairs {"", "nil", "'x'", "{}", "print"} do
        list[#list + 1] = {("x.%s(%s)"):format(name, wrong), ""}
      end
    end
    refuses(list)
  end)

  it("tensors of the wrong dtype", function()
    local list = {}
    for _, name in ipairs {
      "mean", "var", "std", "norm", "logsumexp", "gelu", "var_mean", "std_mean", "nansum", "multinomial",
      "bernoulli", "normal_", "uniform_",
    } do
      if core.methods[name] then
        for _, kind in ipairs {"i", "b"} do
          local dtype = kind == "i" and "int64" or "bool"
          local given = (name == "gelu" or name == "bernoulli") and "" or "1"
          list[#list + 1] = {("%s:%s(%s)"):format(kind, name, given), {name, "float", dtype}}
        end
      end
    end
    for _, name in ipairs {"softmax(1)", "log_softmax(-1)"} do
      list[#list + 1] = {"i:" .. name, {name:match "[%w_]+", "float", "int64"}}
    end
    for _, name in ipairs {
      "exp_", "log_", "sqrt_", "sin_", "tanh_", "sigmoid_", "reciprocal_", "div_", "erf_", "softplus_",
    } do
      list[#list + 1] = {("i:%s(%s)"):format(name, name == "div_" and "2" or ""), {name, "float32", "int64"}}
    end
    refuses(list)
  end)
end)
