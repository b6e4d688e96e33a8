// A small button on each card of a checkpoint, LoRA or embedding in the lists of a WebUI. It opens the
// gallery of that model in the tab of Civitai Gallery, which knows the model by its name and path.
// The button is made when the pointer comes to its card; nothing is asked before it is pressed.
(function () {
    'use strict';
    const LISTS = /_(checkpoints?|models?|lora|lycoris|textual_inversion|embeddings?)_cards$/i;
    const page = () => (typeof gradioApp === 'function' ? gradioApp() : document);
    const find = (name) => page().querySelector('#civitai_gallery_' + name);

    function pathOf(card) {
        const copies = card.querySelector('[data-clipboard-text]');
        if (copies) return copies.dataset.clipboardText;
        return card.dataset.filename || card.dataset.sortPath || '';
    }

    // The buttons of the tabs stand in the order of the tabs, and a host may have translated them.
    function showTab() {
        const tab = page().querySelector('#tab_civitai_gallery');
        const named = page().querySelector('#tab_civitai_gallery-button');
        if (!tab || named) return named && named.click();
        const beside = [...tab.parentNode.children].filter((one) => one.id.startsWith('tab_'));
        const buttons = page().querySelectorAll('#tabs > .tab-nav > button');
        const button = buttons[beside.indexOf(tab)];
        if (button) button.click();
    }

    function open(event) {
        event.preventDefault();
        event.stopPropagation();  // else the host takes it for a click on the card
        const card = event.currentTarget.closest('.card');
        window.civitaiGalleryCard = [card.dataset.name || '', pathOf(card)];
        showTab();
        find('card_button').click();
    }

    document.addEventListener('pointerover', (event) => {
        const from = event.composedPath()[0];
        const card = from.closest && from.closest('.extra-network-cards .card');
        const list = card && card.closest('.extra-network-cards');
        const ours = find('card_button');
        if (!card || !ours || !LISTS.test(list.id) || card.querySelector('.cg-host-card')) return;
        const button = document.createElement('button');
        button.type = 'button';
        button.className = 'cg-host-card card-button';
        button.title = ours.textContent.trim();
        button.setAttribute('aria-label', button.title);
        button.textContent = '▦';
        button.addEventListener('click', open);
        (card.querySelector('.button-row') || card).append(button);
    });
})();
