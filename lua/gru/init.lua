--- gru: tensors, autograd and recurrent networks, with PyTorch's names and semantics.
--
--     local gru = require "gru"
--     local x = gru.randn(3, 4, {requires_grad = true})
--     x:sigmoid():sum():backward()
--     print(x.grad)
--
-- Dims, positions and ids count from 1; a dim or position may be negative, from the end.
-- @module gru
local args = require "gru.args"
local core = require "gru.core"
local create = require "gru.create"
local tensor = require "gru.tensor"
local mode = require "gru.mode"
local device = require "gru.device"
local files = require "gru.files"
local explain = require "gru.explain"

local gru = {_VERSION = core.version}

-- Ops are functions and methods of the same name.
for name, f in pairs(core.functions) do gru[name] = f end
for name, f in pairs(tensor.functions) do gru[name] = f end
for name, f in pairs(create) do gru[name] = f end
for name, f in pairs(mode) do gru[name] = f end
for name, f in pairs(device) do gru[name] = f end
for name, f in pairs(files) do gru[name] = f end
gru.explain = explain.explain
args.bound(gru)
args.bound(core.methods)

--- Is `x` a tensor?
-- @function is_tensor
-- @param x anything
-- @treturn boolean
gru.is_tensor = core.is_tensor

--- Seeds the generator.
-- @function manual_seed
-- @tparam integer seed
-- @tparam[opt="philox"] string generator `"philox"`, a counter-based generator with the same
-- stream on every device, or `"torch"`, which draws what PyTorch's CPU generator draws after
-- `torch.manual_seed(seed)`
gru.manual_seed = core.manual_seed

--- The whole state of the generator, which `set_rng_state` takes back.
-- @function get_rng_state
-- @return int64 on the CPU; its contents are the generator's own affair
gru.get_rng_state = core.get_rng_state

--- Puts the generator where it stood when `get_rng_state` gave this state: what is drawn next is the
-- same again, also in another process.
-- @function set_rng_state
-- @param state int64, from `get_rng_state`; another tensor is refused, and nothing is changed
-- @usage local state = gru.get_rng_state()
-- local first = gru.rand(3)
-- gru.set_rng_state(state)
-- assert(first:equal(gru.rand(3)))
gru.set_rng_state = core.set_rng_state

--- Runs f and prints where the time went: by op, forward and backward, and by line of the script. Profiles
-- do not nest. See `gru.profile.run` for the options and for what it returns.
-- @tparam function f
-- @tparam[opt] table options `trace`, `output`, `rows`, `library`
-- @treturn table the profile
-- @usage local p = gru.profile(function() loss:backward() end, {output = false})
function gru.profile(f, options) return require("gru.profile").run(f, options) end

local submodules = {
  autograd = true, checkpoint = true, cuda = true, d2l = true, data = true, linalg = true, nn = true,
  optim = true, text = true, train = true,
}

-- `gru.nn` and its siblings are loaded when they are first asked for.
return setmetatable(gru, {
  __index = function(self, name)
    if not submodules[name] then return nil end
    local module = require("gru." .. name)
    rawset(self, name, module)
    return module
  end,
})
