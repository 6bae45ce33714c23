--- Agreement: max |a - b| <= tol max(1, max |b|), and NaN and infinities
-- at the same places.
local nd = require "tests.support.nd"

local agree = {}

agree.forward = {float32 = 1e-5, float64 = 1e-12}
agree.backward = {float32 = 1e-4, float64 = 1e-12}

local function shape_text(shape) return "[" .. table.concat(shape, ", ") .. "]" end

local function is_finite(v) return v == v and v ~= math.huge and v ~= -math.huge end

--- Has `t` the shape and, where given, the dtype?
-- @return true, or nil and a message
function agree.shape(t, shape, dtype)
  if shape_text(t.shape) ~= shape_text(shape) then
    return nil, ("shape %s, expected %s"):format(shape_text(t.shape), shape_text(shape))
  end
  if dtype and t.dtype ~= dtype then
    return nil, ("dtype %s, expected %s"):format(t.dtype, dtype)
  end
  return true
end

local function largest(data)
  local top = 1
  for _, v in ipairs(data) do
    if is_finite(v) and math.abs(v) > top then top = math.abs(v) end
  end
  return top
end

-- Do two numbers agree within `limit`?
local function close(got, want, limit)
  if type(want) ~= "number" or type(got) ~= "number" then return got == want end
  if want ~= want then return got ~= got end
  if not is_finite(want) then return got == want end
  if limit == 0 then return got == want end
  return math.abs(got - want) <= limit
end

--- Compares the elements of a tensor with an array.
-- @param t tensor
-- @param expected array
-- @param tol relative to the largest element; 0 wants equality
-- @param each compare relative to every single element instead
-- @return true, or nil and a message
function agree.values(t, expected, tol, each)
  local ok, message = agree.shape(t, expected.shape)
  if not ok then return nil, message end
  local got, scale = nd.of(t).data, 0
  if tol > 0 then scale = largest(expected.data) end
  for i, want in ipairs(expected.data) do
    local size = each and tol > 0 and largest {want} or scale
    if not close(got[i], want, tol * size) then
      return nil, ("element %d of %s is %s, expected %s (tolerance %g)"):format(i,
        shape_text(expected.shape), tostring(got[i]), tostring(want), tol * size)
    end
  end
  return true
end

--- Compares two tensors: shape, dtype, elements.
function agree.tensors(a, b, tol)
  local ok, message = agree.shape(a, b.shape, b.dtype)
  if not ok then return nil, message end
  return agree.values(a, nd.of(b), tol or 0)
end

-- The same number: NaN is NaN, and -0 is not 0.
local function identical(a, b)
  if type(a) ~= "number" or a ~= a then return a == b or (a ~= a and b ~= b) end
  return a == b and (a ~= 0 or 1 / a == 1 / b)
end

--- Compares two tensors, of any devices: shape, dtype, and that every element is the same number.
function agree.identical(a, b)
  local ok, message = agree.shape(a, b.shape, b.dtype)
  if not ok then return nil, message end
  local got, want = nd.of(a).data, nd.of(b).data
  for i, v in ipairs(want) do
    if not identical(got[i], v) then
      return nil, ("element %d of %s is %s, expected %s"):format(i, shape_text(a.shape), tostring(got[i]),
        tostring(v))
    end
  end
  return true
end

return agree
