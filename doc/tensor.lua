--- Tensors: attributes, and the methods that are not ops.
--
-- Attributes: `x.shape` (a table), `x.dtype` ("float32", "float64", "int64", "bool"), `x.device` ("cpu",
-- "cuda:0"), `x.requires_grad`, `x.grad` (a tensor or nil), `x.is_leaf`, `x.grad_fn` (the name of the
-- op, or nil), `x.T`, `x.ndim`.  `#x` is the size of dim 1; `x[key]` is told at `gru.index`; the operators
-- `+ - * / // % ^ & | ~` are ops; `==` compares identity.  The methods of ops are at `gru.ops`.
--
-- This file holds doc comments alone, of what the C binding makes.
-- @module gru.Tensor

--- Questions
-- @section questions

--- The sizes in a table, or the size of one dim.
-- @function size
-- @tparam[opt] integer dim
-- @return a table, or an integer

--- The number of dims.
-- @function dim
-- @treturn integer

--- The number of elements.
-- @function numel
-- @treturn integer

--- The bytes of the elements: numel times the size of one.
-- @function nbytes
-- @treturn integer

--- How many elements lie from one position of a dim to the next.
-- @function stride
-- @tparam[opt] integer dim all dims, in a table, without it
-- @return a table, or an integer

--- The number of elements in the storage before the first one.
-- @function storage_offset
-- @treturn integer

--- Do the elements follow one another in memory?
-- @function is_contiguous
-- @treturn boolean

--- Is it stored as ids, in the one-hot layout?
-- @function is_one_hot
-- @treturn boolean

--- The address of the first element.
-- @function data_ptr
-- @treturn integer

--- Elements
-- @section elements

--- The only element, as a Lua integer, float or boolean.
-- @function item
-- @usage print(gru.ones(2, 3):sum():item())
-- @return a number or a boolean
-- @raise where there is not exactly one

--- The elements as nested tables; a number or boolean for a 0-d tensor.
-- @function totable
-- @return a table

--- The elements as a string of bytes, in order, as this machine stores them.
-- @function data
-- @treturn string

--- Writing in place
-- @section writing_in_place

--- Copies elements, converted to the dtype of x.
-- @function copy_
-- @param source a tensor, broadcast to x, or a number
-- @treturn tensor x

--- Sets every element.
-- @function fill_
-- @param value a number, a boolean, or a tensor of one element
-- @treturn tensor x

--- Draws from the uniform distribution over [low, high).
-- @function uniform_
-- @tparam[opt=0] number low
-- @tparam[opt=1] number high
-- @treturn tensor x, floats

--- Draws from the normal distribution.
-- @function normal_
-- @tparam[opt=0] number mean
-- @tparam[opt=1] number std
-- @treturn tensor x, floats

--- Draws 1 with a chance of p, else 0.
-- @function bernoulli_
-- @tparam[opt=0.5] number p in 0 .. 1
-- @treturn tensor x

--- Draws integers low .. high - 1.
-- @function random_
-- @tparam integer low
-- @tparam integer high
-- @treturn tensor x

--- Gradients
-- @section gradients

--- Adds the gradient of x to the `.grad` of every leaf that it was computed from.
-- @function backward
-- @usage x:sum():backward()
-- print(x.grad)
-- @tparam[opt] tensor gradient the weight of each element of x, of its shape; 1 for a tensor of one
-- element, others want it
-- @tparam[opt] table options `retain_graph` (false: a second backward raises an error),
-- `create_graph` (false: gradients have no history)

--- Switches the recording of a leaf on or off.
-- @function requires_grad_
-- @tparam[opt=true] boolean on
-- @treturn tensor x, floats where on

--- Lets backward fill `.grad`, also of a tensor that is no leaf.
-- @function retain_grad

--- The same elements without history.
-- @function detach
-- @treturn tensor a view that requires no grad

--- Calls f with the gradient of x in every backward; a tensor that it returns is used instead.
-- @function register_hook
-- @usage local id = x:register_hook(function(grad) return grad * 2 end)
-- x:remove_hook(id)
-- @tparam function f
-- @treturn integer a number for `remove_hook`

--- Takes a hook out.
-- @function remove_hook
-- @tparam integer id what `register_hook` gave
