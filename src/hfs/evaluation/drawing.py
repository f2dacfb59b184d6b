"""x"""


def draw(s, p):
    raise NotImplementedError
