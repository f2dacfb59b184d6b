"""Commands: arguments -> a call of the library, and its result in words.

The library is imported inside each command, because ``hfs --help`` should not wait for torch.
"""
