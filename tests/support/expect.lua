--- What specs claim of tensors and errors; a claim that fails is an error that says how.
local agree = require "tests.support.agree"

local expect = {}

--- The elements of `t` are those of the array `expected`.
function expect.values(t, expected, tol)
  assert(agree.values(t, expected, tol))
end

--- Shape, dtype and elements of two tensors agree; exactly, without a tolerance.
function expect.tensors(a, b, tol)
  assert(agree.tensors(a, b, tol))
end

local function fails(pattern, plain, f, ...)
  local ok, message = pcall(f, ...)
  if ok then error("no error, where one was to match: " .. pattern, 3) end
  if not tostring(message):find(pattern, 1, plain) then
    error(("the error was: %s\nexpected: %s"):format(tostring(message), pattern), 3)
  end
  return tostring(message)
end

--- `f(...)` raises an error that matches a Lua pattern.
-- @return the message
function expect.raises(pattern, f, ...) return fails(pattern, false, f, ...) end

--- The same for an error that has `text` in it, to the letter.
function expect.raises_text(text, f, ...) return fails(text, true, f, ...) end

return expect
