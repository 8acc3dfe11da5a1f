"""From chat messages to tokens, and back to text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tidings.core import ModelError, ModelRequest, RequestError

__all__ = ["PromptWriter"]


class PromptWriter:
    """Writes prompts the way the model was trained on, by the chat template of its tokenizer."""

    def __init__(self, tokenizer: Any, name: str) -> None:
        """Takes the tokenizer.

        Raises:
            RequestError: If it has no chat template.
        """
        if not tokenizer.chat_template:
            allowed = "need a model tuned for chat, whose tokenizer has a chat template"
            raise RequestError(f"transformers/{name}", "found no chat template", allowed)
        self._tokenizer = tokenizer
        self._marks = re.compile("|".join(map(re.escape, sorted(tokenizer.all_special_tokens, key=len, reverse=True))))

    def prompt(self, request: ModelRequest) -> str:
        """Returns the text of the prompt up to the point where the answer begins.

        A control mark of the template (`<|im_end|>`, say) inside a message is broken by a blank: what an agent says
        must never end its own message and begin somebody else's.

        Raises:
            ModelError: `request`, if the template refuses the messages.
        """
        messages = [{"role": message.role, "content": self._defused(message.content)} for message in request.messages]
        try:
            return self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        except Exception as error:  # templates raise whatever their authors and the template engine like
            raise ModelError("request", f"the chat template refuses the messages: {error}") from error

    def encode(self, text: str) -> list[int]:
        """Returns the tokens of a text in which control marks count as such."""
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]

    def continuation(self, prompt: str, tokens_of_prompt: Sequence[int], text: str) -> list[int]:
        """Returns the tokens of a text that follows a prompt.

        Prompt and text are read together, since some tokenizers treat the beginning of a text specially; where that
        would merge the two at the seam, the text is read alone.

        Raises:
            ModelError: `request`, if the text has no token.
        """
        text, n = self._defused(text), len(tokens_of_prompt)
        together = self.encode(prompt + text)
        tokens = together[n:] if together[:n] == list(tokens_of_prompt) else self.encode(text)
        if not tokens:
            raise ModelError("request", f"{text!r} has no token")
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """Returns the text of tokens, without control marks."""
        return self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def _defused(self, text: str) -> str:
        return self._marks.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text)
